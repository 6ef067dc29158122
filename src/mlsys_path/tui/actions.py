"""What can be done on which screen: one table that feeds the bindings, the key bar and the help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from mlsys_path.language import N_, _


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `label` and `help` are message ids; a narrow key bar drops the highest `rank` first."""

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: tuple[str, ...]
    rank: int
    shown_key: str = ""

    @property
    def key(self) -> str:
        """The key as it is shown."""
        return self.shown_key or self.keys[0]

    def text(self) -> str:
        """The label in the language in use."""
        return _(self.label)


HOME, EXERCISE, SOLUTION, HINTS, HELP, CONFIRM = "home", "exercise", "solution", "hints", "help", "confirm"
MARK, QUESTIONS = "mark", "questions"
IR, FILES = "ir", "files"
STATS, MACHINE, SETTINGS, CRASHED = "stats", "machine", "settings", "crashed"
PLACES = (
    HOME,
    EXERCISE,
    IR,
    FILES,
    STATS,
    MACHINE,
    SETTINGS,
)  # full screens, from each of which one can go anywhere

ACTIONS: tuple[Action, ...] = (
    Action(
        "open",
        ("enter",),
        N_("open it"),
        N_("Open the exercise, or fold and unfold a stage"),
        (HOME,),
        0,
        "⏎",
    ),
    Action("check", ("c",), N_("check"), N_("Run the checks against your files"), (EXERCISE,), 0),
    Action("stop", ("x",), N_("stop"), N_("Stop the running check"), (EXERCISE,), 1),
    Action("edit", ("e",), N_("edit"), N_("Edit your files in $VISUAL or $EDITOR"), (EXERCISE,), 1),
    Action("watch", ("w",), N_("watch"), N_("Check at every save; again to end it"), (EXERCISE,), 2),
    Action("hint", ("h",), N_("hint"), N_("One more hint each time"), (EXERCISE, HINTS), 3),
    Action("pane", ("tab",), N_("pane"), N_("Go to the other pane: lesson or checks"), (EXERCISE,), 4),
    Action("files", ("f",), N_("files"), N_("Look at your files, in colour"), (EXERCISE,), 5),
    Action("diff", ("d",), N_("changes"), N_("What you changed since the starter"), (EXERCISE, FILES), 7),
    Action(
        "ir", ("i",), N_("IR"), N_("What the compiler makes of your kernels, in every stage"), (EXERCISE,), 4
    ),
    Action(
        "next_stage", ("tab",), N_("stage"), N_("The next stage of the compiler; 1 to 4 go to each"), (IR,), 0
    ),
    Action("search", ("slash",), N_("search"), N_("Search in all of it"), (IR, FILES), 1, "/"),
    Action("next_match", ("n",), N_("next match"), N_("The next line that holds it"), (IR, FILES), 2),
    Action("previous_match", ("N",), N_("match before"), N_("The line before that holds it"), (IR, FILES), 5),
    Action("fold", ("space",), N_("fold"), N_("Fold a part, or unfold it"), (IR, FILES), 2, "␣"),
    Action("fold_all", ("a",), N_("fold all"), N_("Fold all parts, or unfold all"), (IR, FILES), 5),
    Action("next_section", ("j",), N_("next part"), N_("The next kernel, or the next file"), (IR, FILES), 3),
    Action(
        "previous_section", ("k",), N_("part before"), N_("The kernel before, or the file"), (IR, FILES), 6
    ),
    Action("zoom", ("z",), N_("one stage"), N_("One stage over the whole width, or all"), (IR,), 4),
    Action("solution", ("s",), N_("solution"), N_("See how an expert wrote it"), (EXERCISE,), 8),
    Action(
        "reset",
        ("r",),
        N_("reset"),
        N_("Put the starter back; your files are kept in a backup"),
        (EXERCISE,),
        9,
    ),
    Action("undo", ("u",), N_("undo reset"), N_("Bring your files back after a reset"), (EXERCISE,), 3),
    Action("next", ("n",), N_("next"), N_("Open what to do next"), (HOME, EXERCISE), 5),
    Action(
        "mark",
        ("m",),
        N_("mark"),
        N_("Say that you have read or know it, or take that back"),
        (HOME,),
        6,
    ),
    Action(
        "diagnose",
        ("d",),
        N_("questions"),
        N_("Answer the stage's questions, to see whether to skip it"),
        (HOME,),
        7,
    ),
    Action("read", ("r",), N_("have read"), N_("You have read it"), (MARK,), 1),
    Action("known", ("k",), N_("known"), N_("You know it"), (MARK,), 1),
    Action("take_back", ("x",), N_("take back"), N_("You say nothing of it any more"), (MARK,), 2),
    Action("answer", ("enter",), N_("go on"), N_("Answer, or go on"), (QUESTIONS,), 0, "⏎"),
    Action(
        "words", ("w",), N_("in words"), N_("The year in words instead of a drawing, and back"), (STATS,), 1
    ),
    Action(
        "choose", ("enter",), N_("change"), N_("The next value; of the editor, type it"), (SETTINGS,), 0, "⏎"
    ),
    Action("default", ("backspace",), N_("as at first"), N_("Take a setting back"), (SETTINGS,), 2, "⌫"),
    Action("copy", ("y",), N_("copy"), N_("Copy what the cursor is on"), (MACHINE,), 0),
    Action("copy_all", ("a",), N_("copy all"), N_("Copy all of these commands"), (MACHINE,), 2),
    Action("again", ("r",), N_("look again"), N_("Look at the machine again"), (MACHINE,), 1),
    Action("copy", ("y",), N_("copy the report"), N_("Copy the report"), (CRASHED,), 0),
    Action("go_on", ("enter",), N_("go on"), N_("Go on with the program"), (CRASHED,), 0, "⏎"),
    Action("leave", ("q",), N_("quit"), N_("Leave the program; everything is remembered"), (CRASHED,), 0),
    Action("stats", ("S",), N_("statistics"), N_("Your year, your passes, your best times"), PLACES, 11),
    Action(
        "machine", ("M",), N_("machine"), N_("What this machine can check, and what is missing"), PLACES, 12
    ),
    Action("settings", ("comma",), N_("settings"), N_("Language, theme, editor, calm"), PLACES, 12, ","),
    Action("palette", ("ctrl+p",), N_("commands"), N_("Find a command by its name"), PLACES, 13, "^p"),
    Action("language", ("l",), N_("中文"), N_("Switch between English and Chinese"), PLACES, 6),
    Action("theme", ("t",), N_("theme"), N_("Switch between the dark and the light theme"), PLACES, 10),
    Action("help", ("question_mark",), N_("help"), N_("All keys"), PLACES, 0, "?"),
    Action("yes", ("y",), N_("yes"), N_("Do it"), (CONFIRM,), 0),
    Action("no", ("n", "escape", "q"), N_("no"), N_("Leave things as they are"), (CONFIRM,), 0),
    Action(
        "back",
        ("q", "escape"),
        N_("back"),
        N_("Go back"),
        (EXERCISE, SOLUTION, IR, FILES, HINTS, HELP, MARK, STATS, MACHINE, SETTINGS),
        0,
    ),
    Action("give_up", ("escape",), N_("leave"), N_("Leave; nothing of it is kept"), (QUESTIONS,), 0, "Esc"),
    Action("leave", ("q",), N_("quit"), N_("Leave the program; everything is remembered"), (HOME,), 0),
)


def of_screen(screen: str) -> tuple[Action, ...]:
    """The actions of a screen, in the order in which they are shown."""
    return tuple(action for action in ACTIONS if screen in action.screens)


def bindings(screen: str) -> list[BindingType]:
    """The bindings of a screen; their descriptions are message ids, as they are made once."""
    return [
        Binding(",".join(action.keys), action.name, action.label, show=False, key_display=action.key)
        for action in of_screen(screen)
    ]


def that_fit(actions: Iterable[Action], widths: dict[str, int], room: int) -> list[Action]:
    """The actions that fit into `room` cells, the lowest ranks first, in their own order."""
    listed = list(actions)
    kept: set[str] = set()
    for action in sorted(listed, key=lambda a: a.rank):
        if widths[action.name] > room:
            break
        room -= widths[action.name]
        kept.add(action.name)
    return [action for action in listed if action.name in kept]
