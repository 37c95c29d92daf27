"""Web: importing members, in four steps: upload, columns, check, report. Nothing goes in before the third is passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import IO, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience import importing, rehearsing
from mobilizer.audience.columns import IMPORT_FIELDS, address_columns, guess_columns
from mobilizer.audience.delimited import DELIMITERS
from mobilizer.audience.encodings import ENCODINGS
from mobilizer.audience.exports import export_of
from mobilizer.audience.fields import definitions, guess_fields, in_use
from mobilizer.audience.importing import Sheet, Unreadable
from mobilizer.audience.imports import OVER, UNDO_DAYS, Import
from mobilizer.audience.lists import MemberList
from mobilizer.audience.pasting import one_a_line
from mobilizer.audience.queries import languages_of_members
from mobilizer.audience.rehearsing import ImportRehearsal
from mobilizer.audience.reporting import VERDICTS
from mobilizer.audience.sheet import look, refuse_larger
from mobilizer.audience.undoing import foretell_undo, start_undo
from mobilizer.audience.workbook import WORKBOOKS
from mobilizer.http import installation, words
from mobilizer.jobs import Work, enqueue
from mobilizer.keys import BadSeal
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.rights.holding import held
from mobilizer.web.choosing import DATES, KNOWN, Choice, languages_on_offer, read_choice, read_options
from mobilizer.web.lists import known_list
from mobilizer.web.policy import allowed, me
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, locale

blueprint = Blueprint("imports", __name__)

ROWS_SHOWN = 100
REHEARSED = 50_000  # rows: somebody waits for the page; of a larger file a job reads them
DELIMITER_NAMES = {"comma": N_("Comma ,"), "semicolon": N_("Semicolon ;"), "tab": N_("Tab"), "bar": N_("Bar |")}


@blueprint.get("/lists/<slug>/import")
@allowed("members.import")
def new(slug: str) -> ResponseReturnValue:
    """Step 1: choose a file."""
    return render_template("imports/new.html", list=known_list(slug), problems=[], pasted="")


@blueprint.post("/lists/<slug>/import")
@allowed("members.import")
def upload(slug: str) -> ResponseReturnValue:
    """Keep the file, or say why it can't be read; then nothing is kept."""
    here, to = installation(), known_list(slug)
    source, name = _sent()
    if source is None:
        return _refused(to, Problem("import.no_file", N_("Choose a file on your computer, or paste the members.")))
    try:
        refuse_larger(source, here.settings.import_bytes)
        sheet = look(source)
    except Unreadable as bad:
        return _refused(to, bad.problem)
    # The file has been read by now: the write is short, and workers need the database.
    with here.database.write() as session:
        row = importing.store(session, here, list_id=to.id, filename=name, data=source, sheet=sheet, user_id=me().id)
        record(session, me().id, "import.upload", f"import:{row.id}", rows=sheet.rows)
        number = row.id
    return redirect(url_for("imports.columns", number=number), 303)


@blueprint.get("/imports/<int:number>/columns")
@allowed("members.import")
def columns(number: int) -> ResponseReturnValue:
    """Step 2: which column holds what, shown with the first rows of the file."""
    here = installation()
    with here.database.read() as session:
        row = _waiting(session, number)
        kept = Choice(dict(row.columns), dict(row.options.get("attributes", {})))
        try:
            sheet = importing.look_again(here, row)
        except Unreadable as bad:
            return _columns(session, row, None, kept, [bad.problem]), 422
        return _columns(session, row, sheet, kept, [] if sheet.rows else [importing.NOBODY])


@blueprint.post("/imports/<int:number>/columns")
@allowed("members.import")
def choose(number: int) -> ResponseReturnValue:
    """Read the file anew as the form says; with the button "go", keep the choice and go on."""
    here = installation()
    with here.database.read() as session:
        row = _waiting(session, number)
        try:
            sheet = importing.look_again(here, row, *_reading())
        except Unreadable as bad:
            return _columns(session, row, None, Choice(), [bad.problem]), 422
        if "go" not in request.form:
            guessed = guess_columns(sheet.header, sheet.sample)
            fields = guess_fields(sheet.header, guessed.values(), definitions(session))
            return _columns(session, row, sheet, Choice(guessed, fields), [])
        choice = read_choice(request.form, sheet, in_use(definitions(session)))
    options = {**read_options(request.form), "attributes": choice.attributes}
    # The file has been read by now: the write is short, and workers need the database.
    with here.database.write() as session:
        row = _waiting(session, number, lock=True)
        problems = choice.problems or importing.choose(here.keyring, row, sheet, choice.columns, options)
        if problems:
            return _columns(session, row, sheet, choice, problems), 422
        asked = _rehearsal(session, row)
    return _to_check(number, asked)


@blueprint.get("/imports/<int:number>/check")
@allowed("members.import")
def check(number: int) -> ResponseReturnValue:
    """Step 3: what would go in and what not. Nothing is written yet."""
    here = installation()
    with here.database.read() as session:
        row = _waiting(session, number)
        asked = session.get(ImportRehearsal, number)
        if asked is None and row.rows > REHEARSED:
            return redirect(url_for("imports.columns", number=number), 303)
        try:
            rehearsal = asked.found(here.keyring) if asked else importing.rehearse(session, here, row)
        except (FileNotFoundError, Unreadable, BadSeal):
            return redirect(url_for("imports.columns", number=number), 303)
        spoken = [tag for tag, _people in languages_of_members(session)]
        return render_template(
            "imports/check.html",
            row=row,
            name=_name(row),
            list=_list(session, row),
            rehearsal=rehearsal,
            asked=asked,
            verdicts=VERDICTS,
            languages=languages_on_offer(spoken),
        )


@blueprint.post("/imports/<int:number>/languages")
@allowed("members.import")
def understand(number: int) -> ResponseReturnValue:
    """Take words of the language column for languages, as the form says; then check again."""
    here = installation()
    said = zip(request.form.getlist("word"), request.form.getlist("tag"), strict=False)
    # Kept in the clear: where the wrong column was chosen, words are addresses.
    chosen = {word: tag for word, tag in said if tag and "@" not in word}
    try:
        with here.database.read() as session:
            sheet = importing.look_again(here, _waiting(session, number))
    except Unreadable:
        return redirect(url_for("imports.columns", number=number), 303)
    with here.database.write() as session:
        row = _waiting(session, number, lock=True)
        languages = {**row.options.get("languages", {}), **chosen}
        if importing.choose(here.keyring, row, sheet, row.columns, {"languages": languages}):
            abort(400)
        asked = _rehearsal(session, row)
    return _to_check(number, asked)


@blueprint.post("/imports/<int:number>/start")
@allowed("members.import")
def start(number: int) -> ResponseReturnValue:
    """Let it run. Pressed twice it still runs once."""
    here = installation()
    with here.database.write() as session:
        row = _import(session, number, lock=True)
        waits = row.state == "uploaded"
        if importing.start(session, row):
            return redirect(url_for("imports.columns", number=number), 303)
        if waits:
            record(session, me().id, "import.start", f"import:{number}", rows=row.rows)
    enqueue(here, Work.IMPORT, number)
    return redirect(url_for("imports.show", number=number), 303)


@blueprint.post("/imports/<int:number>/pause")
@allowed("members.import")
def pause(number: int) -> ResponseReturnValue:
    """Let it stand still. What is in stays in."""
    here = installation()
    with here.database.write() as session:
        if importing.pause(session, _import(session, number, lock=True)):
            record(session, me().id, "import.pause", f"import:{number}")
    return redirect(url_for("imports.show", number=number), 303)


@blueprint.post("/imports/<int:number>/resume")
@allowed("members.import")
def resume(number: int) -> ResponseReturnValue:
    """Let it go on where it stood."""
    here = installation()
    with here.database.write() as session:
        goes_on = importing.go_on(session, _import(session, number, lock=True))
        if goes_on:
            record(session, me().id, "import.resume", f"import:{number}")
    if goes_on:
        enqueue(here, Work.IMPORT, number)
    return redirect(url_for("imports.show", number=number), 303)


@blueprint.post("/imports/<int:number>/give-up")
@allowed("members.import")
def give_up(number: int) -> ResponseReturnValue:
    """Let it end here, and throw its file away. What is in stays in."""
    here = installation()
    with here.database.write() as session:
        if importing.give_up(session, here, _import(session, number, lock=True)):
            record(session, me().id, "import.give_up", f"import:{number}")
    return redirect(url_for("imports.show", number=number), 303)


@blueprint.post("/imports/<int:number>/discard")
@allowed("members.import")
def discard(number: int) -> ResponseReturnValue:
    """Throw a file away that was not imported."""
    here = installation()
    with here.database.write() as session:
        row = _import(session, number, lock=True)
        slug = _list(session, row).slug
        importing.discard(session, here, row)
    flash(_("The file was thrown away. Nothing was imported."), "info")
    return redirect(url_for("lists.show", slug=slug), 303)


@blueprint.get("/imports/<int:number>")
@allowed("members.import")
def show(number: int) -> ResponseReturnValue:
    """Step 4: how far it is; at its end what went in, and row by row what did not."""
    here, after = installation(), typed_number(request.args.get("after", "")) or 0
    with here.database.read() as session:
        row = _import(session, number)
        if row.state == "uploaded":
            return redirect(url_for("imports.columns", number=number), 303)
        under_way = row.runs or row.state == "undoing"
        shown = 0 if under_way else ROWS_SHOWN
        found, more = importing.report_page(session, here.keyring, number, after, shown)
        return render_template(
            "imports/show.html",
            row=row,
            name=_name(row),
            list=_list(session, row),
            report=found,
            report_length=importing.report_length(session, number),
            after=after,
            more=more,
            verdicts=VERDICTS,
            failure=importing.failure_of(row),
            under_way=under_way,
            undo=foretell_undo(session, row, held),
            until=row.finished_at + timedelta(days=UNDO_DAYS) if row.finished_at else None,
        )


@blueprint.post("/imports/<int:number>/undo")
@allowed("members.import")
def undo(number: int) -> ResponseReturnValue:
    """Let an import be undone. Pressed twice it is undone once; too late, it says so."""
    here = installation()
    with here.database.write() as session:
        row = _import(session, number, lock=True)
        begun, late = start_undo(session, row), row.state in OVER
        if begun:
            record(session, me().id, "import.undo", f"import:{number}")
    if begun:
        enqueue(here, Work.IMPORT, number)
    elif late:
        flash(_("This import is too old to be undone."), "bad")
    return redirect(url_for("imports.show", number=number), 303)


@blueprint.get("/imports/<int:number>/problems.csv")
@allowed("members.import")
def problems_file(number: int) -> ResponseReturnValue:
    """The rows that have something to mend, as a file that can be mended and imported again."""
    here, spoken = installation(), words()
    with here.database.read() as session:
        _import(session, number)

    def lines() -> Iterator[bytes]:
        with here.database.read() as session:
            for line in importing.report_csv(session, here.keyring, session.get_one(Import, number), spoken):
                yield line.encode()

    answer = Response(lines(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="import-{number}-problems.csv"'
    return answer


def _rehearsal(session: Session, row: Import) -> bool:
    """Whether a job has to rehearse an import as it is chosen now: a small one is rehearsed while its page is made."""
    if row.rows > REHEARSED:
        rehearsing.ask(session, row)
    else:
        rehearsing.forget(session, row)
    return row.rows > REHEARSED


def _to_check(number: int, asked: bool) -> ResponseReturnValue:
    if asked:
        enqueue(installation(), Work.IMPORT, number)
    return redirect(url_for("imports.check", number=number), 303)


def _sent() -> tuple[IO[bytes] | None, str]:
    """What was sent to be imported, and its name: a file, else the text that was pasted."""
    file, pasted = request.files.get("file"), request.form.get("pasted", "")
    if file and file.filename:
        return file.stream, file.filename
    return (BytesIO(one_a_line(pasted).encode()), "") if pasted.strip() else (None, "")


def _refused(to: MemberList, problem: Problem) -> ResponseReturnValue:
    pasted = request.form.get("pasted", "")
    return render_template("imports/new.html", list=to, problems=[problem], pasted=pasted), 422


def _name(row: Import) -> str:
    """The name of an import's file, else its own."""
    return row.filename(installation().keyring) or _("Import %(number)s", number=row.id)


def _columns(session: Session, row: Import, sheet: Sheet | None, choice: Choice, problems: list[Problem]) -> str:
    spoken = [tag for tag, _people in languages_of_members(session)]
    return render_template(
        "imports/columns.html",
        row=row,
        name=_name(row),
        list=_list(session, row),
        sheet=sheet,
        choice=choice,
        problems=problems,
        fields=IMPORT_FIELDS,
        defined={key: one.name_in(locale().language) for key, one in in_use(definitions(session)).items()},
        dates=[(value, _(label)) for value, label in DATES.items()],
        encodings=ENCODINGS,
        delimiters={sign: DELIMITER_NAMES[name] for sign, name in DELIMITERS.items()},
        languages=languages_on_offer(spoken),
        known=[(value, _(label)) for value, label in KNOWN.items()],
        export=export_of(sheet.header) if sheet else None,
        several=bool(sheet and len(address_columns(sheet.sample)) > 1),
        told={**row.options, **(read_options(request.form) if request.form else {})},
    )


def _reading() -> tuple[str, str, bool | None, int | None]:
    """Encoding, delimiter, whether there is a header, and the sheet, as the form says; else empty."""
    encoding, delimiter = request.form.get("encoding", ""), request.form.get("delimiter", "")
    if (encoding and encoding not in {*ENCODINGS, *WORKBOOKS, "utf-16-le", "utf-16-be"}) or (
        delimiter and delimiter not in DELIMITERS
    ):
        abort(400)
    header = {"yes": True, "no": False}.get(request.form.get("has_header", ""))
    return encoding, delimiter, header, typed_number(request.form.get("sheet", ""))


def _import(session: Session, number: int, *, lock: bool = False) -> Import:
    """An import; with `lock` nobody starts, changes or throws it away before the transaction ends."""
    found: Import = (session.get(Import, number, with_for_update=lock) if number < 2**63 else None) or abort(404)
    return found


def _waiting(session: Session, number: int, *, lock: bool = False) -> Import:
    """An import that has not started; one that has leads to its report."""
    row = _import(session, number, lock=lock)
    if row.state != "uploaded":
        abort(redirect(url_for("imports.show", number=number), 303))
    return row


def _list(session: Session, row: Import) -> Any:
    return session.get_one(MemberList, row.list_id)
