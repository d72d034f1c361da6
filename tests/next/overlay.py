"""tests/next/overlay.py SOURCES OUT - the changed sources of speand_next.

A version to come knows more: a record type, fields of types that there are already (one of them in a
sealed part), a sub-field and a code list. Numbers are high, so that no real addition meets them.
Each change has to find its place exactly once; otherwise the build stops here.
"""

import pathlib
import sys

TYPE = "(enum spean_record_type)900"


def field(kind_of_record, number, name, kind, value, writer="OWNER", part="PUBLIC"):
    return (f"    {{.type = {kind_of_record}, .number = {number}, .name = \"{name}\", "
            f".kind = SPEAN_KIND_{kind}, .writer = SPEAN_WRITER_{writer}, "
            f".part = SPEAN_PART_{part}, .value = {value}}},\n")


def behind(anchor, *lines):
    return anchor, anchor + "".join(lines)


AGENCY = "SPEAN_TYPE_AGENCY"
CHANGES = {
    "protocol/schema_table.c": [
        behind('    {4, "extension", STR(16)},\n', '    {5, "signal_app", PLAIN(BOOL)},\n'),
        behind('    {SPEAN_TYPE_CODE, "code", {[0] = "public"}},\n',
               f'    {{{TYPE}, "hotline", {{[0] = "public"}}}},\n'),
        behind('    FIELD(AGENCY, ENDPOINTS, "endpoints", SET, OWNER, PUBLIC, MAP(endpoint)),\n',
               field(AGENCY, 900, "night_service", "VALUE", 'CODE("night_service")'),
               field(AGENCY, 901, "vouched_by", "SET", "STR(64)"),
               field(AGENCY, 902, "night_notes", "LIST", "MAP(note)")),
        behind('    FIELD(REFERRAL, INFORMED, "informed", VALUE, ORIGIN, PREVIEW, PLAIN(BOOL)),\n',
               field("SPEAN_TYPE_REFERRAL", 1090, "wish", "VALUE", "PLAIN(TEXT)", "ORIGIN",
                     "PREVIEW")),
        behind('    FIELD(CODE, MAPPED_TO, "mapped_to", VALUE, STEWARD, PUBLIC, PLAIN(CODE)),\n',
               field(TYPE, 16, "names", "VALUE", "PLAIN(TEXT)"),
               field(TYPE, 17, "languages", "SET", "PLAIN(LANG)"),
               field(TYPE, 18, "calls", "LIST", "MAP(phone)")),
    ],
    "protocol/codes.c": [
        behind('#include "protocol/codes_table.inc"\n',
               '    {"night_service", "bus", "Bus at night", "", ""},\n'),
    ],
    "store/author_change.c": [
        (".schema_version = SPEAN_SCHEMA_VERSION,", ".schema_version = SPEAN_SCHEMA_VERSION + 1,"),
    ],
    "node/routes.c": [
        behind('#include "node/handlers.h"\n',
               "\nstruct spean_route_group spean_hotline_routes(void);\n"),
        behind("    const struct spean_route_group groups[] = {\n",
               "        spean_hotline_routes(),\n"),
    ],
    "node/permit.c": [
        behind("} needs[] = {\n",
               '    {"POST", "/v1/hotlines", SPEAN_PERSON_CASE_WORKER},\n',
               '    {"GET", "/v1/hotlines/{id}", SPEAN_PERSON_CASE_WORKER},\n',
               '    {"PATCH", "/v1/hotlines/{id}", SPEAN_PERSON_CASE_WORKER},\n'),
    ],
}


def main(sources, out):
    for name, changes in CHANGES.items():
        text = (sources / name).read_text(encoding="utf-8")
        for place, changed in changes:
            if text.count(place) != 1:
                sys.exit(f"{name}: not once: {place.strip()}")
            text = text.replace(place, changed)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
