"""`dropscribe render`: outputs again from a result that is kept, in any format, for nothing."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dropscribe.cli.exits import ExitCode, of_the_system
from dropscribe.cli.kept import CannotRender, Found, shelf
from dropscribe.cli.options import config_option
from dropscribe.cli.paths import ANY_PATH
from dropscribe.cli.say import say
from dropscribe.config import find, load
from dropscribe.config.settings import Settings
from dropscribe.disk.placing import content_sha256, discard, place, sync_names, write_aside
from dropscribe.disk.renaming import Name
from dropscribe.disk.sources import folder_at
from dropscribe.errors import DropscribeError, Misconfigured
from dropscribe.names import display
from dropscribe.render import FORMATS, Edition, Presentation, TextLost, render_all, suffix_of
from dropscribe.render.profiles import PROFILES, Subtitles
from dropscribe.render.quality import FAULTS, Report, judge, shown_by_channel
from dropscribe.render.stamps import clock

CUED = ("srt", "vtt", "ass")
LONGEST_NAME = 60


def _formats(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    """`--format srt,vtt --format md`."""
    names = [name.strip() for each in value for name in each.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(names))


def _speakers(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[int, str] | None:
    """`0=Anna,1=Ben`."""
    if value is None:
        return None
    found: dict[int, str] = {}
    for pair in value.split(","):
        number, _, name = pair.partition("=")
        name = name.strip()
        if not (number.strip().isdecimal() and name.isprintable() and 0 < len(name) <= LONGEST_NAME):
            raise click.BadParameter(f"{pair!r} is no number with a name, such as 0=Anna.")
        found[int(number)] = name
    return found


@click.command()
@config_option
@click.option(
    "--format", "formats", multiple=True, callback=_formats, metavar="FORMAT", help=f"Of {', '.join(FORMATS)}."
)
@click.option("--profile", type=click.Choice(list(PROFILES)), help="Limits of the subtitles.")
@click.option("--dialog/--no-dialog", default=None, help="In srt, two voices in one cue behind dashes.")
@click.option("--channel-files/--no-channel-files", default=None, help="A further srt for each channel: talk.ch0.srt.")
@click.option("--speakers", callback=_speakers, metavar="0=Anna,1=Ben", help="Names of the speakers.")
@click.option("--out", type=click.Path(path_type=Path), default=".", metavar="DIR", help="Default: the current folder.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=ANY_PATH)
@click.pass_context
def render(
    context: click.Context,
    /,
    config: Path | None,
    formats: tuple[str, ...],
    out: Path,
    paths: tuple[bytes, ...],
    **asked: Any,
) -> int:
    """Write outputs again from what was recognised: nothing is sent, nothing is paid, nothing is replaced.

    PATH names a file as for `status`, whose result is kept for `keep_results`; or a JSON file: a raw result of Fun-ASR,
    or a transcript of dropscribe. Without options all is as its inbox has it. Each file gets a line on its subtitles:
    how many, how many a minute, how many are clean, and what is wrong with the others.

    \b
    Examples:
      dropscribe render outbox/talk.json --format vtt
      dropscribe render inbox/talk.mp3 --profile shorts --speakers 0=Anna,1=Ben --out texts
    """
    settings = _settings(context, config)
    _make(out)
    failed, taken = 0, set[bytes]()
    with shelf(settings) as shelves:
        for path in paths:
            try:
                found = shelves.find(path)
                shown = _presentation(found.presentation, **asked)
                _write(found, formats or found.outputs, shown, out, taken)
            except (DropscribeError, OSError, TextLost) as error:
                why = of_the_system(error) if isinstance(error, OSError) else str(error)
                say(f"{display(path)}: {why}", err=True)
                failed += 1
    return ExitCode.NOT_WELL if failed else ExitCode.WELL


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"--out cannot be made: {of_the_system(error)}; name another folder") from error


def _settings(context: click.Context, config: Path | None) -> Settings | None:
    """The configuration; None where there is none and none was named, because files need none."""
    named = config or context.obj or os.environ.get("DROPSCRIBE_CONFIG")
    try:
        path = find(config or context.obj, os.environ)
    except Misconfigured:
        if named:
            raise
        return None
    return load(path, os.environ, keyless=True)


def _presentation(
    usual: Presentation,
    *,
    profile: str | None,
    dialog: bool | None,
    channel_files: bool | None,
    speakers: dict[int, str] | None,
) -> Presentation:
    """As the inbox has it, changed by what was asked for: another profile takes none of the inbox's limits along."""
    subtitles = usual.subtitles
    if profile is not None:
        words, two, files = subtitles.words, subtitles.dialog, subtitles.channel_files
        subtitles = Subtitles(profile, words=words, dialog=two, channel_files=files)
    if dialog is not None:
        subtitles = replace(subtitles, dialog=dialog)
    if channel_files is not None:
        subtitles = replace(subtitles, channel_files=channel_files)
    return Presentation(subtitles, usual.speakers if speakers is None else speakers)


def _write(found: Found, formats: Sequence[str], shown: Presentation, out: Path, taken: set[bytes]) -> None:
    """Every output, or none where one of the names is another's."""
    if "raw" in formats and not found.document.raw:
        raise CannotRender("raw is what the service answered, and that is not in a transcript; leave it out")
    rendering = render_all(found.document, formats, shown)
    targets = _targets(found, rendering.texts, out, taken)
    waiting = {name: path for name, path in targets.items() if not _stands(path, rendering.texts[name])}
    try:
        _place_all(out, waiting, rendering.texts)
    except FileExistsError:
        raise
    except OSError as error:
        raise CannotRender(f"nothing can be written into --out {out}: {error.strerror or error}") from error
    taken.update(targets.values())
    for path in targets.values():
        say(display(path))
    for note in rendering.notes:
        say(f"  {note}", err=True)
    for line in _quality(Edition(found.document, shown), formats):
        say(f"  {line}")


def _place_all(out: Path, targets: Mapping[str, bytes], texts: Mapping[str, bytes]) -> None:
    aside = dict[str, Name]()
    with folder_at(out) as folder:
        try:
            for name in targets:
                aside[name] = write_aside(folder, f"render-{os.getpid()}-{name}", texts[name])
            for name, path in targets.items():
                place(aside.pop(name), (folder, os.path.basename(path)))
        finally:
            for left in aside.values():
                discard(left)
        sync_names(folder)


def _targets(found: Found, outputs: Iterable[str], out: Path, taken: set[bytes]) -> dict[str, bytes]:
    """Where the outputs go: `talk.vtt`, or `talk.mp3.vtt` where another PATH of the same call has that name."""
    for stem in (found.stem, found.full_name):
        names = {name: os.path.join(os.fsencode(out), stem + b"." + suffix_of(name).encode()) for name in outputs}
        if not taken.intersection(names.values()):
            return names
    raise CannotRender(f"another file of this call is written as {display(found.full_name)} already")


def _stands(path: bytes, content: bytes) -> bool:
    """Whether exactly this stands there; anything else is somebody's."""
    if not os.path.lexists(path):
        return False
    if content_sha256(path) == hashlib.sha256(content).hexdigest():
        return True
    raise CannotRender(f"{display(path)} is there already and is something else: move it away, or name another --out")


def _quality(edition: Edition, formats: Sequence[str]) -> list[str]:
    """A line for each format of cues; those that are the same once."""
    lines: dict[str, list[str]] = {}
    for name in [name for name in formats if name in CUED] or ["srt"]:
        cues = edition.cues(name)
        report = judge(edition.document.transcript, shown_by_channel(cues), edition.presentation.subtitles, name)
        lines.setdefault(quality_line(report), []).append(name)
    return [line if len(lines) == 1 else f"{', '.join(names)}: {line}" for line, names in lines.items()]


def quality_line(report: Report) -> str:
    """`61 cues, 12.3 a minute, 98.4 % clean; 1 too fast to read (00:00:41)`."""
    if not report.cues:
        return "0 cues: nothing was said"
    firsts: dict[str, int] = {}
    for cue, faults in report.unclean:
        for fault in faults:
            firsts[fault] = min(cue.start_ms, firsts.get(fault, cue.start_ms))
    wrong = [
        f"{report.faulty[fault]} {FAULTS[fault]} ({'first ' if report.faulty[fault] > 1 else ''}{clock(at // 1000)})"
        for fault, at in sorted(firsts.items(), key=lambda item: -report.faulty[item[0]])
    ]
    count = f"{report.cues} cue{'s' if report.cues > 1 else ''}"
    said = f"{count}, {report.a_minute:.1f} a minute, {report.clean_share:.1f} % clean"
    return "; ".join([said, ", ".join(wrong)]) if wrong else said
