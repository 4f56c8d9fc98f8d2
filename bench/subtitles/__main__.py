"""`python -m bench.subtitles`: the share of clean cues, ours and other tools', by language; what is wrong; speed."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.subtitles import rivals, speed
from bench.subtitles.corpus import WORDS, Sample, program, reference, samples
from dropscribe.render.cues import cues
from dropscribe.render.profiles import PROFILES, Subtitles
from dropscribe.render.quality import FAULTS, Report, Shown, judge, shown_by_channel

OURS = "dropscribe"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.subtitles", description=__doc__)
    parser.add_argument("--words", type=Path, default=WORDS, help="folder of <language>_*.funasr.json")
    parser.add_argument("--profile", choices=list(PROFILES), default="default")
    parser.add_argument("--speed", type=int, default=120_000, help="words of the speed test; 0: none")
    options = parser.parse_args()
    every = samples(options.words)
    subtitles = Subtitles(options.profile)
    for sample in every if options.speed else ():  # first: a child's peak is at least what this process holds
        if sample.name in ("en_senate", "zh_udhr", "ja_udhr"):
            print(f"{sample.name}, to srt, vtt and json: {speed.measure(sample, options.speed)}")
    _say_references(every)
    for tool in (*rivals.TOOLS, OURS):
        reports = {sample: _report(tool, sample, subtitles) for sample in every}
        known = {sample: report for sample, report in reports.items() if report is not None}
        if known:
            _table(tool, known)
        else:
            print(f"\n{tool}: not installed; published: {rivals.PUBLISHED.get(tool, '?')} % clean (other corpus)")


def _say_references(every: Iterable[Sample]) -> None:
    for language in sorted({sample.language for sample in every if not sample.marked} & {"zh", "ja"}):
        found = "an independent program" if program(language) else "our own lexicon (install thulac, fugashi)"
        print(f"what is inside a word in {language} is told by {found}")


def _report(tool: str, sample: Sample, subtitles: Subtitles) -> Report | None:
    if tool == OURS:
        shown = shown_by_channel(cues(sample.transcript, subtitles))
    else:
        found = rivals.cues_of(tool, sample)
        if found is None:
            return None
        shown = {sample.transcript.segments[0].channel: list[Shown](found)}
    return judge(sample.transcript, shown, subtitles, reference=reference(sample))


def _table(tool: str, reports: dict[Sample, Report]) -> None:
    print(f"\n{tool}")
    for sample, report in reports.items():
        faults = ", ".join(f"{name} {report.faulty[name]}" for name in FAULTS if report.faulty[name])
        counts = f"{report.cues:4} cues {report.a_minute:5.1f} a minute"
        print(f"  {sample.name:14} clean {report.clean_share:5.1f} %  {counts}  {_shares(report)}  {faults}".rstrip())
    languages = sorted({sample.language for sample in reports})
    means = [
        _mean([report.clean_share for sample, report in reports.items() if sample.language == language])
        for language in languages
    ]
    said = ", ".join(f"{language} {mean:.1f}" for language, mean in zip(languages, means, strict=True))
    print(f"  clean, macro average {_mean(means):.1f} % ({said})")


def _shares(report: Report) -> str:
    bad = 100 * report.bad_borders / max(1, report.borders)
    torn = 100 * report.bad_breaks / max(1, report.breaks)
    covered = 100 * report.covered / max(1, report.words)
    return f"bad borders {bad:4.1f} %, line breaks {torn:4.1f} %, covered {covered:6.2f} %"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
