"""What the services take and give (docs/protocol.md), as rules that judge every exchange of every test.

Written from the services' documents and not from our code; neither the daemon nor the sandbox is imported to judge by.
"""
