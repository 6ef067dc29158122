"""The drawings of the statistics, in text and colour. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from mlsys_path.language import _, current, labelled, listed, ngettext
from mlsys_path.progress.activity import SHADES, WEEKDAYS, WEEKS, Activity, bars, spark
from mlsys_path.progress.bests import Course
from mlsys_path.progress.stats import StagePasses
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.tui.blocks import hang, stacked
from mlsys_path.tui.foreign import foreign

MUTED, DONE, HEAD = "$text-muted", "$state-passed", "bold $heading"
HEIGHT = 5  # lines of the plot of weeks
BAR = 24  # columns of a full bar
COURSES = 12


def year(activity: Activity, width: int) -> Content:
    """The heat map: a column each week, a row each weekday; below it the same in a sentence."""
    days = [_(day) for day in WEEKDAYS]
    left = max(map(cell_len, days)) + 1
    cell = 3 if width >= left + 3 * WEEKS else 2 if width >= left + 2 * WEEKS else 1
    months = Content.styled(" " * left + activity.months_above(cell), MUTED)
    lines = [months]
    for number, row in enumerate(activity.rows):
        # every second name: the rows stand close
        name = days[number] if number % 2 == 0 else ""
        cells = [_cell(shade, cell) for shade in row]
        lines.append(Content.styled(set_cell_size(name, left), MUTED) + Content("").join(cells))
    legend = Content(" ").join([_cell(shade, 1) for shade in range(len(SHADES))])
    lines.append(
        Content.styled(" " * left + _("none") + " ", MUTED) + legend + Content.styled(" " + _("many"), MUTED)
    )
    return stacked([*lines, Content(""), hang("", activity.words(), width)])


def _cell(shade: int | None, width: int) -> Content:
    if shade is None:
        return Content(" " * width)
    glyph = SHADES[shade] * max(1, width - 1) if shade else SHADES[0].ljust(max(1, width - 1))
    return Content.styled(glyph.ljust(width), DONE if shade else MUTED)


def in_words(activity: Activity, width: int) -> Content:
    """The same for those who cannot see a drawing: the year, its months, its weekdays."""
    lines = [hang("", activity.words(), width), Content("")]
    lines += [hang("", month.words(), width) for month in reversed(activity.months)]
    counts = zip(WEEKDAYS, activity.per_weekday, strict=True)
    days = listed(f"{_(day)} {count}" for day, count in counts)
    return stacked([*lines, Content(""), hang("", labelled(_("Attempts by weekday"), days), width)])


def stages(roadmap: Roadmap, found: Iterable[StagePasses], width: int) -> Content:
    """A bar each stage."""
    rows = [(roadmap.stages[each.stage].title[current()], each) for each in found]
    count = max((len(f"{each.passed}/{each.exercises}") for _title, each in rows), default=0)
    room = max((cell_len(title) for title, _each in rows), default=0)
    bar = max(6, min(BAR, width - room - count - 4))
    room = min(room, max(8, width - bar - count - 4))
    lines = [Content.styled(_("Passed, by stage"), HEAD)]
    for title, each in rows:
        full = round(bar * each.passed / each.exercises) if each.exercises else 0
        name = foreign(set_cell_size(title, room), lines=1)
        drawn = Content.styled("█" * full, DONE) + Content.styled("░" * (bar - full), MUTED)
        lines.append(name + Content("  ") + drawn + Content(f"  {each.passed}/{each.exercises}".rjust(count)))
    return stacked(lines)


def weeks(activity: Activity, width: int) -> Content:
    """Attempts week by week, upright; nothing where there were none."""
    counts = activity.per_week
    if not any(counts):
        return Content("")
    label = len(str(max(counts))) + 2
    cell = 2 if width >= label + 2 * WEEKS else 1
    shown = counts[-max(8, (width - label) // cell) :]
    head = ngettext("Attempts, in {n} week", "Attempts, in {n} weeks", len(shown)).format(n=len(shown))
    lines = [Content.styled(head, HEAD)]
    for number, line in enumerate(bars(shown, HEIGHT)):
        axis = str(max(shown)) if number == 0 else "0" if number == HEIGHT - 1 else ""
        wide = "".join(glyph.ljust(cell) for glyph in line)
        lines.append(Content.styled(f"{axis:>{label - 2}} ┤", MUTED) + Content.styled(wide, DONE))
    return stacked(lines)


def courses(found: Sequence[Course], width: int) -> Content:
    """How each ratio went: its course, where it stands, its best and when; nothing without one."""
    if not found:
        return Content("")
    lines = [Content.styled(_("Ratios to the baseline: course, last, best"), HEAD)]
    for course in found[:COURSES]:
        at, best = course.best
        numbers = f"{course.ratios[-1]:>7.2f}  {best:>7.2f}  {at.astimezone().date().isoformat()}"
        room = max(4, min(BAR, width - len(numbers) - 4))
        drawn = Content.styled(set_cell_size(spark(course.ratios, room), room), DONE)
        lines.append(foreign(f"{course.exercise}  {course.name}", lines=1))
        lines.append(Content("  ") + drawn + Content(numbers))
    if len(found) > COURSES:
        lines.append(Content.styled(_("… and {n} more").format(n=len(found) - COURSES), MUTED))
    return stacked(lines)
