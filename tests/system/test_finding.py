"""tests/system/test_finding.py - finding cases and agencies by names of five languages.

The names are real places, which no project of ours wrote down (../shared/data): what is found has
to agree with search keys that Python's unicodedata makes. Without that folder they are skipped.
"""

import csv
import json
import pathlib
import re
import unicodedata
import unittest

from cluster import ClusterTest
from story import NAMES

SHARED = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
NAMES_EACH = 120  # Of each gazetteer.
BATCH = 100


def key(text):
    """A search key as the records' rules say, by another hand and another library."""
    unseen = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    out = []
    latin = False
    for letter in unseen.sub("", folded):
        if unicodedata.category(letter).startswith("M"):
            if not latin:
                out.append(letter)
            continue
        latin = "LATIN" in unicodedata.name(letter, "")
        out.append("d" if letter == "\u0111" else letter)
    return katakana(unicodedata.normalize("NFC", "".join(out)))


def is_within(query, text):
    """Whether all words of a query are in a text; scripts without spaces have none."""
    joined = re.sub(r"(?<=[\u0e00-\u109f\u1780-\u17ff\u3040-\u9fff]) (?=[\u0e00-\u109f"
                    r"\u1780-\u17ff\u3040-\u9fff])", "", key(text))
    return all(word in joined for word in key(query).split())


def spread(rows):
    """Some rows from everywhere in a list."""
    return rows[::max(1, len(rows) // NAMES_EACH)][:NAMES_EACH]


class Finding(ClusterTest):
    def setUp(self):
        super().setUp()
        self.node = self.cluster.add(*NAMES[0])
        self.node.start()
        self.node.spean("ledger", "found", "--name", "Mekong Referral Ledger", *self.node.admin())

    def open_cases(self, names):
        """Open a case for each map of a name; return their ids in order."""
        ids = []
        for start in range(0, len(names), BATCH):
            items = [{"place": str(start + i), "match": {"source": "test", "id": str(start + i)},
                      "edit": {"add": {"names": [name]}}}
                     for i, name in enumerate(names[start:start + BATCH])]
            answer = self.node.api("POST", "/v1/cases/import", {"lang": "und", "items": items})
            self.assertEqual(answer["created"], len(items), answer)
            ids += [row["id"] for row in answer["results"]]
        return ids

    def found(self, text):
        ids, after = set(), ""
        while after is not None:
            cursor = f"&after={after}" if after else ""
            page = self.node.api("POST", "/v1/cases/find?limit=1000" + cursor, {"text": text})
            ids |= {row["id"] for row in page["items"]}
            after = page["next"]
        return ids

    def assert_finds(self, typed, names, ids):
        """What is typed finds what it should by the other implementation, and nothing else."""
        wanted = {case for name, case in zip(names, ids)
                  if any(is_within(typed, part) for part in
                         (name.get("full", ""), name.get("kana", "")) if part)}
        self.assertEqual(self.found(typed), wanted, ascii(typed))
        return wanted


class Gazetteers(Finding):
    def gazetteer(self, name):
        path = SHARED / "gazetteer" / name
        if not path.exists():
            self.skipTest(f"{name} is not here")
        return path

    def test_khmer_is_found_with_and_without_what_nobody_sees(self):
        with open(self.gazetteer("derived_kh_district_commune.csv"), encoding="utf-8-sig") as file:
            places = spread([row["name_km"] for row in csv.DictReader(file)])
        split = ["\u200b".join((place[:len(place) // 2], place[len(place) // 2:]))
                 for place in places]
        names = [{"script": "khmr", "full": place} for place in split]
        ids = self.open_cases(names)
        for place, case in list(zip(places, ids))[::6]:
            self.assertIn(case, self.assert_finds(place, names, ids))
        # Another vowel sign is another name, unlike an accent on a Latin letter.
        for place in places[::10]:
            bare = "".join(c for c in place if not unicodedata.category(c).startswith("M"))
            if bare != place:
                self.assert_finds(bare, names, ids)
        record = self.node.api("GET", f"/v1/cases/{ids[0]}")
        self.assertEqual(record["fields"]["names"][0]["full"], split[0])  # As it was typed.

    def test_vietnamese_is_found_in_either_normal_form_and_without_marks(self):
        units = json.loads(self.gazetteer("vn_units_simplified_2026-07-25.json")
                           .read_text(encoding="utf-8"))
        wards = spread([(ward["Name"], ward["NameEn"]) for unit in units for ward in unit["Wards"]])
        forms = ("NFC", "NFD", "NFKC", "NFKD")
        names = [{"script": "latn", "full": unicodedata.normalize(forms[i % 4], name)}
                 for i, (name, _) in enumerate(wards)]
        ids = self.open_cases(names)
        for i in range(0, len(wards), 5):
            for typed in (*(unicodedata.normalize(form, wards[i][0]) for form in forms[:2]),
                          wards[i][1], wards[i][0].upper()):
                self.assertIn(ids[i], self.assert_finds(typed, names, ids), ascii(typed))

    def test_japanese_is_found_by_kanji_and_by_kana_in_any_width(self):
        rows = json.loads(self.gazetteer("jp_municipalities_kana_romaji_2018.json")
                          .read_text(encoding="utf-8"))
        towns = spread([row for row in rows if "name_kana" in row])
        names = [{"script": "jpan", "full": town["name_kanji"][:1] + "\u3000" +
                  town["name_kanji"][1:], "kana": katakana(town["name_kana"])} for town in towns]
        ids = self.open_cases(names)
        for town, name, case in list(zip(towns, names, ids))[::6]:
            for typed in (town["name_kanji"], name["kana"], half_width(name["kana"]),
                          hiragana(name["kana"])):
                self.assertIn(case, self.assert_finds(typed, names, ids), ascii(typed))

    def test_names_of_one_word_are_found(self):
        with open(self.gazetteer("derived_id_province_regency_district.csv"),
                  encoding="utf-8-sig") as file:
            words = spread(sorted({row["name"].split()[-1] for row in csv.DictReader(file)}))
        names = [{"script": "latn", "full": word} for word in words]
        ids = self.open_cases(names)
        for word, case in list(zip(words, ids))[::6]:
            self.assertIn(case, self.assert_finds(word.lower(), names, ids))

    def test_words_of_long_texts_are_found(self):
        words = []
        for language in ("khm", "vie", "jpn", "ind", "eng"):
            path = SHARED / "udhr" / f"udhr_{language}.xml"
            if not path.exists():
                self.skipTest(f"{path.name} is not here")
            text = re.sub("<[^>]*>", " ", path.read_text(encoding="utf-8"))
            lines = sorted({line.strip() for line in text.split("\n") if line.strip()})
            words += [line[:40].strip() for line in spread(lines)[::3]]
        names = [{"script": "zyyy", "full": word} for word in words]
        ids = self.open_cases(names)
        for word, case in list(zip(words, ids))[::8]:
            for form in ("NFC", "NFD"):
                typed = unicodedata.normalize(form, word)
                self.assertIn(case, self.assert_finds(typed, names, ids), ascii(typed))


def katakana(hiragana):
    return "".join(chr(ord(c) + 0x60) if "\u3041" <= c <= "\u3096" else c for c in hiragana)


def hiragana(katakana):
    return "".join(chr(ord(c) - 0x60) if "\u30a1" <= c <= "\u30f6" else c for c in katakana)


def half_width(kana):
    """The same in half width, as far as there is one."""
    table = {}
    for point in range(0xff61, 0xffa0):
        table.setdefault(unicodedata.normalize("NFKC", chr(point)), chr(point))
    return "".join(table.get(c, c) for c in unicodedata.normalize("NFD", kana))


class Offices(Finding):
    NAME = "Nguy\u1ec5n Th\u1ecb \u0110\u00e0o"

    def add(self, *words, **options):
        return self.node.spean("case", "add", "--from", "-", stdin=json.dumps(options), *words)

    def person(self, name, year):
        return self.add(add={"names": [{"script": "latn", "full": name}]},
                        set={"birth_date": year})

    def test_a_duplicate_is_hinted_at_and_never_refused(self):
        first = self.person(self.NAME, "1990-03-01")
        self.assertEqual(first["looks_like"], [])
        second = self.person("DAO NGUYEN thi", "1990")
        self.assertEqual(second["looks_like"], [{"id": first["id"], "code": first["code"],
                                                 "why": "same_name_and_birth_year"}])
        self.assertEqual(self.person(self.NAME, "1991")["looks_like"], [])
        edit = self.node.write("same.json",
                               json.dumps({"add": {"same_as": [first["id"]]}}).encode())
        self.node.spean("case", "edit", second["code"], "--from", edit)
        for one, other in ((first, second), (second, first)):
            shown = self.node.spean("case", "show", one["code"])
            self.assertEqual(shown["same"], [{"id": other["id"], "code": other["code"]}])
        # Lists show the two as one, the first that is asked for; nothing is merged away.
        low, high = sorted((first, second), key=lambda case: case["id"])
        self.assertEqual([(row["id"], [one["id"] for one in row["same"]])
                          for row in self.node.spean("case", "list")["items"]
                          if row["id"] in (low["id"], high["id"])], [(low["id"], [high["id"]])])
        self.assertIn(f" = {high['code']}", self.node.run("case", "list").out)
        self.node.spean("case", "edit", low["code"], "--status", "follow_up")
        for status, one, other in (("active", high, low), ("follow_up", low, high)):
            rows = self.node.spean("case", "find", "--status", status, "--name", "-",
                                   stdin="dao nguyen")["items"]
            rows = [row for row in rows if row["id"] in (low["id"], high["id"])]
            self.assertEqual([(row["id"], row["same"]) for row in rows],
                             [(one["id"], [{"id": other["id"], "code": other["code"]}])])
        agency = ("agency", "add", "--name", "en=Red Lotus", "--country")
        self.node.spean(*agency, "KH")
        self.assertEqual(self.node.spean(*agency, "VN")["looks_like"], [])
        self.assertEqual(len(self.node.spean(*agency, "KH")["looks_like"]), 1)

    def test_commands_find_by_what_is_read_and_by_filters(self):
        case = self.person(self.NAME, "1990")
        name = self.node.write("name", "\u0111ao nguyen\n".encode())
        self.node.spean("case", "edit", case["code"], "--status", "follow_up")
        for words, text in ((("--name", f"@{name}"), None), (("--name", "-"), "DAO"),
                            ((case["code"],), None), (("--status", "follow_up"), None)):
            items = self.node.spean("case", "find", *words, stdin=text)["items"]
            self.assertEqual([item["id"] for item in items], [case["id"]], words)
        for words in (("--name", f"@{name}", "--status", "active"), ("--opened-to", "2001")):
            self.assertEqual(self.node.spean("case", "find", *words)["items"], [])
        self.refused(self.node.run("case", "find", "--name", self.NAME, "--json"), 2)
        self.refused(self.node.run("case", "list", "--opened-from", "yesterday", "--json"), 2,
                     "bad_input")

    def test_no_name_is_in_the_store_or_the_log_and_verify_agrees(self):
        self.person(self.NAME, "1990")
        self.node.api("POST", "/v1/cases/find", {"text": self.NAME})
        self.assertTrue(self.node.spean("verify")["ok"])
        self.node.stop()
        folded = "dao nguyen thi"
        for text in (self.NAME, folded, "nguyen", "nguyen thi dao", key(self.NAME)):
            self.assertFalse(self.node.holds(text.encode()), ascii(text))
            self.assertNotIn(text, self.node.log.read_text(encoding="utf-8", errors="replace"))


if __name__ == "__main__":
    unittest.main()
