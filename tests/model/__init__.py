"""A model of the truth: whatever people, cloud, disk and power do, the nine promises hold in the end.

    plan (a few steps, drawn by hypothesis or written down) -> world (folders, cloud, daemon, a person's acts)
         -> rest (faults end, folders return, every key gets its turn, the clock runs on) -> the books must balance

Read `promises` as the specification; `steps` lists what may happen, in plain words. A plan that once failed stands in
`test_found`, under the name of what it proves.
"""
