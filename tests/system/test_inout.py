"""tests/system/test_inout.py - cases and agencies in and out of files, as other systems and
spreadsheets have them."""

import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import unittest

from cluster import SPEAN, ClusterTest, wait_for
from story import NAMES, SAMPLES, sample

SHARED = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
KHMER = "សុខា\u200bនារី"
VIETNAMESE = ("Nguyễn Thị Hoà", "Nguye\u0302\u0303n Thi\u0323 Hoa\u0300")  # Both normal forms.
JAPANESE = "グエン・ティ・ホア"


class InOut(ClusterTest):
    def setUp(self):
        super().setUp()
        self.node = self.cluster.add(*NAMES[0])
        self.node.start()
        self.node.spean("ledger", "found", "--name", "Mekong Referral Ledger", *self.node.admin())

    def path(self, name):
        return self.node.folder / name

    def rows(self, name):
        data = self.path(name).read_bytes()
        self.assertTrue(data.startswith(b"\xef\xbb\xbf"))
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))

    def write_rows(self, name, rows):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        return self.node.write(name, text.getvalue().encode("utf-8-sig"))

    def cases(self):
        return {row["id"]: self.node.api("GET", f"/v1/cases/{row['id']}")
                for row in self.node.items("/v1/cases")}

    def counts(self, told):
        return tuple(told[key] for key in ("created", "changed", "unchanged", "failed"))


class Cases(InOut):
    def add(self, edit):
        return self.node.api("POST", "/v1/cases", edit)

    def people(self):
        """Cases with more than any row can hold."""
        self.add(sample("case.json"))
        for name in VIETNAMESE:
            self.add({"add": {"names": [{"script": "latn", "full": name},
                                        {"script": "jpan", "full": JAPANESE, "kana": "ホア"}],
                              "issues": ["recruitment_fee", "debt", "trafficking", "local:x"],
                              "citizenship": ["VN", "JP"]},
                      "set": {"gender": "other", "narrative": {"vi": "a\r\nb", "ja": JAPANESE},
                              "place": {"country": "JP", "code": "13", "name": "東京"}}})
        self.add({"add": {"names": [{"script": "khmr", "given": KHMER, "family": "='x"}]},
                  "append": {"contacts": [{"channel": "phone", "value": "+85512345678"},
                                          {"channel": "phone", "value": "-1"},
                                          {"channel": "email", "value": "@cmd|x"}]}})

    def test_what_was_exported_changes_nothing_when_it_is_imported(self):
        self.people()
        before = self.cases()
        for form in ("csv", "json"):
            name = f"cases.{form}"
            told = self.node.spean("case", "export", "--out", self.path(name), "--format", form)
            self.assertEqual(told["exported"], len(before))
            self.assertEqual(self.path(name).stat().st_mode & 0o777, 0o600)
            told = self.node.spean("case", "import", self.path(name))
            self.assertEqual(self.counts(told), (0, 0, len(before), 0), told)
            self.assertEqual(told["left_out"], {})
        self.assertEqual(self.cases(), before)

    def test_a_cell_that_was_changed_changes_that_and_nothing_else(self):
        self.people()
        before = self.cases()
        self.node.spean("case", "export", "--out", self.path("a.csv"))
        rows = self.rows("a.csv")
        row = next(row for row in rows if row["spean_FullName"] == VIETNAMESE[0])
        row["prs_Gender"] = "Feminine"
        row["spean_FullName"] = "Nguyễn Thị Hoa"
        row["prs_Citizenship"] = "VN"
        row["hte_Description"] = "c"
        told = self.node.spean("case", "import", self.write_rows("b.csv", rows))
        self.assertEqual(self.counts(told), (0, 1, len(rows) - 1, 0), told)
        changed = self.cases()
        self.assertEqual({id for id in changed if changed[id] != before[id]}, {row["spean_ID"]})
        fields = changed[row["spean_ID"]]["fields"]
        self.assertEqual(fields["gender"], "female")
        self.assertEqual(fields["citizenship"], ["VN"])
        self.assertEqual(fields["narrative"], {"vi": "c", "ja": JAPANESE}
                         if fields["narrative"]["vi"] == "c" else {"vi": "a\r\nb", "ja": "c"})
        self.assertIn({"script": "jpan", "full": JAPANESE, "kana": "ホア"}, fields["names"])
        self.assertIn({"script": "latn", "full": "Nguyễn Thị Hoa"}, fields["names"])
        self.assertEqual(len(fields["names"]), 2)
        self.assertEqual(fields["issues"], before[row["spean_ID"]]["fields"]["issues"])

    def test_texts_come_back_byte_for_byte_on_another_node(self):
        self.people()
        self.node.spean("case", "export", "--out", self.path("a.csv"))
        other = self.cluster.add(*NAMES[1])
        other.start()
        other.spean("ledger", "found", "--name", "Another", *other.admin())
        told = other.spean("case", "import", self.path("a.csv"), "--lang", "vi")
        self.assertEqual(self.counts(told), (4, 0, 0, 0), told)
        other.spean("case", "export", "--out", other.folder / "b.csv", "--lang", "vi")
        left, right = ([{key: value for key, value in row.items() if key != "spean_ID"}
                        for row in csv.DictReader(io.StringIO(
                            path.read_bytes().decode("utf-8-sig"), newline=""))]
                       for path in (self.path("a.csv"), other.folder / "b.csv"))
        key = json.dumps
        self.assertEqual(sorted(left, key=key), sorted(right, key=key))
        told = other.spean("case", "import", self.path("a.csv"), "--lang", "vi")
        self.assertEqual(self.counts(told), (0, 0, 4, 0), told)

    def test_spreadsheets_get_nothing_to_compute(self):
        self.people()
        self.node.spean("case", "export", "--out", self.path("a.csv"))
        cells = [cell for row in self.rows("a.csv") for cell in row.values()]
        self.assertFalse([cell for cell in cells if cell[:1] in tuple("=+-@\t\r\n") and cell])
        self.assertIn("'+85512345678", cells)
        self.assertIn("'='x", cells)

    def test_one_bad_row_among_good_ones_is_named_and_stops_none(self):
        rows = [{"Number": str(i), "prs_FirstName": f"Person {i}", "prs_Birthdate": "1990-02-28",
                 "prs_Gender": "Masculine", "prs_Salutation": "Mr"} for i in range(6)]
        rows[1]["prs_Birthdate"] = "28/02/1990"
        rows[2]["prs_Birthdate"] = "1990-02-30"
        rows[3]["prs_Gender"] = "Man?"
        path = self.write_rows("rows.csv", rows)
        words = ("case", "import", path, "--id-column", "Number", "--source", "old")
        told = self.node.spean(*words, expect=3)
        self.assertEqual(self.counts(told), (3, 0, 0, 3), told)
        self.assertEqual({(row["place"], row["column"]) for row in told["errors"]},
                         {("line 3", "prs_Birthdate"), ("line 4", None), ("line 5", "prs_Gender")})
        self.assertEqual(told["left_out"], {"prs_Salutation": 6})
        answer = self.node.run(*words)
        self.assertEqual(answer.exit, 3)
        self.assertIn("rows.csv: line 3, prs_Birthdate: ", answer.err)
        self.assertNotIn("Man?", answer.err)  # Cells are personal, and talk may be logged.
        self.assertEqual(len(self.cases()), 3)

    def test_rows_without_a_name_are_found_again_by_what_they_say(self):
        rows = [{"prs_Gender": "Feminine", "prs_Citizenship": "VN"}] * 2
        path = self.write_rows("rows.csv", rows)
        self.assertEqual(self.counts(self.node.spean("case", "import", path)), (2, 0, 0, 0))
        self.assertEqual(self.counts(self.node.spean("case", "import", path)), (0, 0, 2, 0))

    def test_a_dry_run_changes_nothing(self):
        path = self.write_rows("rows.csv", [{"prs_Gender": "Feminine"}, {"prs_Gender": "?"}])
        told = self.node.spean("case", "import", path, "--dry-run", expect=3)
        self.assertEqual(self.counts(told), (1, 0, 0, 1), told)
        self.assertTrue(told["dry_run"])
        self.assertEqual(self.cases(), {})

    def test_a_file_that_is_broken_is_refused_before_its_first_row(self):
        good = b"prs_FirstName,prs_Gender\nA,Feminine\n"
        for bad, place in ((b'B,"x"y\n', "line 3, column 6"), (b"\xff,\n", "line 3"),
                           (b'"never closed\n', "line 4")):
            answer = self.node.run("case", "import", self.node.write("bad.csv", good + bad),
                                   "--json")
            self.assertIn(place, self.refused(answer, 2)["message"])
        for bad in (b"", b"a,b\n1,2\n", b"prs_Gender,prs_Gender\n"):
            self.refused(self.node.run("case", "import", self.node.write("bad.csv", bad),
                                       "--json"), 2)
        self.refused(self.node.run("case", "import", self.path("none.csv"), "--json"), 5)
        self.assertEqual(self.cases(), {})

    def test_nobody_guesses_where_two_header_rows_disagree(self):
        text = ("cas_CaseOwner,prs_FirstName,prs_MailingCity,prs_MailingCountry,"
                "vic_TraffickinStatusDecisionMakingOrg,\r\n"
                "Case Owner,First Name,Mailing Country,Mailing City,"
                "Trafficking Status Decision Making Organization,Status\r\n"
                "x,Dara,KH,Kratie,Police,Follow Up\r\n")
        path = self.node.write("template.csv", text.encode())
        error = self.refused(self.node.run("case", "import", path, "--json"), 2)
        self.assertIn("--header", error["hint"])
        told = self.node.spean("case", "import", path, "--header", "labels")
        self.assertEqual(self.counts(told), (1, 0, 0, 0), told)
        fields = next(iter(self.cases().values()))["fields"]
        self.assertEqual(fields["place"], {"country": "KH", "code": "", "name": "Kratie"})
        self.assertEqual(fields["trafficking_status"], {"decided_by_kind": "police"})
        self.assertEqual(fields["status"], "follow_up")

    def test_answers_of_a_form_are_taken(self):
        text = ("start,person/prs_First_Name,person/prs_Gender,vic_Methods_of_Control,"
                "vic_Methods_of_Control/DebtBondage,vic_Methods_of_Control/PhysicalThreats,_uuid\n"
                "2026,Dara,Masculine,DebtBondage PhysicalThreats,1,1,u1\n")
        path = self.node.write("form.csv", text.encode())
        told = self.node.spean("case", "import", path)
        self.assertEqual(told["left_out"], {"start": 1})
        case = next(iter(self.cases().values()))
        self.assertEqual(sorted(case["fields"]["issues"]), ["debt", "htcds:physical_threats"])
        self.node.write("form.csv", text.replace("Dara", "Dara Chan").encode())
        told = self.node.spean("case", "import", path)
        self.assertEqual(self.counts(told), (0, 1, 0, 0))

    def test_answers_of_a_form_are_taken_as_json_and_found_again_when_edited(self):
        answers = {"_id": 7, "_uuid": "u2", "meta/rootUuid": "uuid:u1", "start": "2026-11-22",
                   "person/prs_First_Name": "Dara", "person/prs_Citizenship": "KH",
                   "vic_Methods_of_Control": "DebtBondage Other", "_attachments": [],
                   "_geolocation": [None, None], "_validation_status": {}, "__version__": "v"}
        path = self.node.write("form.json", json.dumps({"results": [answers]}).encode())
        told = self.node.spean("case", "import", path)
        self.assertEqual(self.counts(told), (1, 0, 0, 0), told)
        self.assertEqual(told["left_out"], {"start": 1})
        fields = next(iter(self.cases().values()))["fields"]
        self.assertEqual(sorted(fields["issues"]), ["debt", "htcds:other_control"])
        answers.update({"_uuid": "u3", "person/prs_First_Name": "Dara Chan"})
        self.node.write("form.json", json.dumps({"results": [answers]}).encode())
        self.assertEqual(self.counts(self.node.spean("case", "import", path)), (0, 1, 0, 0))
        # The same form as CSV, as KoBo separates it, and with its choices in columns of their own.
        path = self.node.write("form.csv", (
            "\"_uuid\";\"meta/rootUuid\";\"person/prs_First_Name\";"
            "\"vic_Methods_of_Control/DebtBondage\";\"vic_Methods_of_Control/Other\"\r\n"
            "\"u3\";\"uuid:u1\";\"Dara Chan\";\"1\";\"1\"\r\n").encode())
        self.assertEqual(self.counts(self.node.spean("case", "import", path)), (0, 0, 1, 0))

    def test_a_file_in_another_form_is_refused_with_what_to_do(self):
        text = "prs_FirstName,prs_SecondName\r\n\u82b1\u5b50,\u5c71\u7530\r\n"
        error = self.refused(self.node.run("case", "import", self.node.write("all.jsonl", b"{}"),
                                           "--json"), 2)
        self.assertIn("csv or json", error["hint"])
        for data in (text.encode("cp932"), text.encode("utf-16"), b"PK\x03\x04" + bytes(40)):
            answer = self.node.run("case", "import", self.node.write("bad.csv", data), "--json")
            self.assertIn("UTF-8", self.refused(answer, 2)["hint"])
        self.assertEqual(self.cases(), {})

    def test_other_systems_are_understood(self):
        primero = {"data": [{"id": "p1", "status": "open", "sex": "female", "name_first": "Sokha",
                             "name_last": "Chan", "date_of_birth": "2001-05-04", "flag_count": 2,
                             "registration_date": "2025-01-02", "nationality": ["cambodia", "vietnam"],
                             "maritial_status": "married_cohabitating"}]}
        oscar = [{"global_id": "o1", "given_name": "Sokha", "local_given_name": KHMER,
                  "gender": "male", "reason_for_referral": "x", "status": "Exited",
                  "nationality": "Cambodian", "marital_status": "Single"}]
        for form, value in (("primero", primero), ("oscar", oscar)):
            path = self.node.write(f"{form}.json", json.dumps(value).encode())
            words = ("case", "import", path, "--format", form, "--lang", "en")
            told = self.node.spean(*words)
            self.assertEqual(self.counts(told), (1, 0, 0, 0), told)
            self.assertEqual(self.counts(self.node.spean(*words)), (0, 0, 1, 0))
        fields = [case["fields"] for case in self.cases().values()]
        self.assertEqual({one["gender"] for one in fields}, {"male", "female"})
        self.assertEqual({tuple(sorted(one["citizenship"])) for one in fields},
                         {("KH", "VN"), ("KH",)})
        self.assertEqual({one["marital_status"] for one in fields}, {"married", "never_married"})
        self.assertEqual({one["status"] for one in fields}, {"active", "closed"})
        self.assertIn({"script": "khmr", "given": KHMER},
                      [name for one in fields for name in one["names"]])

    def test_an_import_that_is_interrupted_can_be_repeated(self):
        rows = [{"Number": str(i), "prs_FirstName": f"Person {i}"} for i in range(3000)]
        path = self.write_rows("rows.csv", rows)
        words = ["case", "import", str(path), "--id-column", "Number", "--source", "old"]
        running = subprocess.Popen([str(SPEAN), *words, "--home", str(self.node.home)],
                                   env=self.node.environment, stderr=subprocess.PIPE)
        wait_for(lambda: self.node.api("GET", "/v1/cases?limit=1")["items"], "a first case")
        running.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(60), 130, running.stderr.read())
        running.stderr.close()
        told = self.node.spean(*words)
        self.assertEqual((told["changed"], told["failed"]), (0, 0), told)
        self.assertGreater(told["unchanged"], 0)
        self.assertGreater(told["created"], 0)
        self.assertEqual(told["created"] + told["unchanged"], len(rows))
        self.assertEqual(len(self.node.items("/v1/cases")), len(rows))

    def test_everything_is_exported_with_who_wrote_it(self):
        self.people()
        self.node.spean("case", "export", "--out", self.path("all.jsonl"), "--format", "jsonl")
        lines = [json.loads(line) for line in self.path("all.jsonl").read_text().splitlines()]
        self.assertEqual({line["id"] for line in lines}, set(self.cases()))
        for line in lines:
            self.assertEqual(line["fields"], self.cases()[line["id"]]["fields"])
            for field in line["fields"]:
                for write in line["written"][field]:
                    self.assertEqual(len(write["entry"]), 64)
                    self.assertEqual(write["by"], line["owner"])
                    self.assertTrue(write["at"])

    def test_what_is_there_is_not_overwritten(self):
        self.node.write("there.csv", b"mine")
        answer = self.node.run("case", "export", "--out", self.path("there.csv"), "--json")
        self.refused(answer, 6, "exists")
        self.assertEqual(self.path("there.csv").read_bytes(), b"mine")
        self.assertEqual([name for name in os.listdir(self.node.folder) if "part" in name], [])

    def test_the_persons_own_copy_tells_nothing_of_others(self):
        case = self.add({
            "set": {"narrative": {"km": KHMER + "<b>"}, "risk_level": "high",
                    "withhold_from": [{"who": {"en": "WITHHELD"}}]},
            "add": {"names": [{"script": "khmr", "full": KHMER}], "issues": ["debt"]},
            "append": {"contacts": [{"channel": "phone", "value": "012", "ask_for": "AUNT"}],
                       "debts": [{"lender_kind": "family", "lender": {"name": "UNCLE"},
                                  "principal": {"amount": 5, "currency": "JPY", "exact": True}}],
                       "costs": [{"category": "training", "paid_to": {"name": "BROKER"}}]}})
        out = self.path("copy.html")
        self.node.spean("case", "export", "--out", out, "--for-person", case["code"])
        page = out.read_text()
        for there in (KHMER + "&lt;b&gt;", "012", "JPY 5", "Recruitment debt", case["code"]):
            self.assertIn(there, page)
        for hidden in ("AUNT", "UNCLE", "BROKER", "WITHHELD", "high", case["id"]):
            self.assertNotIn(hidden, page)
        self.refused(self.node.run("case", "export", "--out", self.path("x.html"), "--for-person",
                                   "ffffffff", "--json"), 5)
        self.assertFalse(self.path("x.html").exists())


class Everything(InOut):
    def export(self, node, name="all.jsonl"):
        told = node.spean("export", "--out", node.folder / name)
        text = (node.folder / name).read_text()
        self.assertTrue(text.endswith("\n"))
        lines = [json.loads(line) for line in text.splitlines()]
        summary = lines.pop()
        self.assertEqual(summary, {"type": "summary", "exported": len(lines),
                                   "counts": told["counts"]})
        self.assertEqual(told["exported"], len(lines))
        for name, count in summary["counts"].items():
            self.assertEqual(count, sum(line["type"] == name for line in lines), name)
        return lines

    def fill(self):
        node = self.node
        case = node.api("POST", "/v1/cases", sample("case.json"))
        node.api("PUT", f"/v1/cases/{case['id']}/retention", {"delete_by": "2099"})
        node.api("POST", "/v1/agencies", {"set": {"names": {"km": KHMER}}})
        node.spean("consent", "record", "--case", case["code"], "--to", node.status()["org"],
                   "--from", SAMPLES / "consent.json")
        node.api("POST", "/v1/code-lists", {"fixed": {"list": "house"}, "set": {"title": {"en": "T"}}})
        node.api("POST", "/v1/codes", {"fixed": {"list": "scheme", "code": "here:x"},
                                       "set": {"labels": {"km": KHMER}}})
        return case

    def test_every_record_is_a_line_with_who_wrote_it_and_what_is_local(self):
        case = self.fill()
        lines = {line["id"]: line for line in self.export(self.node)}
        wanted = {"agency": "/v1/agencies", "case": "/v1/cases", "consent": "/v1/consents",
                  "code": "/v1/codes", "code_list": "/v1/code-lists"}
        for kind, path in wanted.items():
            ids = {row["id"] for row in self.node.items(path) if row.get("id")}
            self.assertTrue(ids, kind)
            self.assertEqual({line["id"] for line in lines.values() if line["type"] == kind}, ids)
        shown = self.node.api("GET", f"/v1/cases/{case['id']}")
        shown.pop("same")  # Looked up for whoever looks at one case.
        written = lines[case["id"]].pop("written")
        self.assertEqual(lines[case["id"]], shown)
        self.assertEqual(shown["retention"]["delete_by"], "2099")
        self.assertEqual(set(written), set(shown["fields"]))
        for field in shown["fields"]:
            for write in written[field]:
                self.assertEqual(write["by"], case["owner"])

    def test_the_file_is_for_nobody_else_and_takes_the_place_of_nothing(self):
        self.export(self.node)
        path = self.path("all.jsonl")
        self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
        before = path.read_bytes()
        self.refused(self.node.run("export", "--out", path, "--json"), 6, "exists")
        self.assertEqual(path.read_bytes(), before)
        self.node.spean("lock")
        self.refused(self.node.run("export", "--out", self.path("b"), "--json"), 11, "locked")
        self.assertFalse(self.path("b").exists())
        self.assertEqual([name for name in os.listdir(self.node.folder) if "part" in name], [])


class Agencies(InOut):
    def agencies(self):
        return {row["id"]: self.node.api("GET", f"/v1/agencies/{row['id']}")
                for row in self.node.items("/v1/agencies")}

    def fill(self):
        for lang in ("km", "en", "ja"):
            path = pathlib.Path(__file__).resolve().parents[2] / "tools/demo" / f"agencies-{lang}.json"
            self.node.spean("agency", "import", path, "--lang", lang)
        self.node.api("POST", "/v1/agencies", {
            "set": {"names": {"km": KHMER}, "kind": "legal", "hours": {"km": "9-5"}},
            "add": {"aliases": [{"km": "a", "en": "b"}], "languages": ["km"],
                    "services": [{"code": "legal", "area": [{"country": "", "code": "",
                                                            "name": "東京"}]}]}})

    def test_what_was_exported_changes_nothing_when_it_is_imported(self):
        self.fill()
        before = self.agencies()
        for lang in ("km", "en", "vi"):
            told = self.node.spean("agency", "export", "--out", self.path(lang), "--lang", lang)
            self.assertEqual(told["exported"], len(before))
            told = self.node.spean("agency", "import", self.path(lang), "--lang", lang)
            self.assertEqual(self.counts(told), (0, 0, len(before), 0), told)
        self.assertEqual(self.agencies(), before)

    def test_csv_files_come_back_too(self):
        self.fill()
        before = self.agencies()
        words = ("agency", "export", "--format", "hsds-csv", "--lang", "km", "--out")
        told = self.node.spean(*words, self.path("csv"))
        self.assertEqual(told["exported"], len(before))
        self.refused(self.node.run(*words, self.path("csv"), "--json"), 6, "exists")
        told = self.node.spean("agency", "import", self.path("csv"), "--lang", "km")
        self.assertEqual(self.counts(told), (0, 0, len(before), 0), told)
        self.assertEqual(self.agencies(), before)
        other = self.cluster.add(*NAMES[1])
        other.start()
        other.spean("ledger", "found", "--name", "Another", *other.admin())
        other.spean("agency", "import", self.path("csv"), "--lang", "km")
        self.node.spean("agency", "export", "--out", self.path("a.json"), "--lang", "km")
        told = other.spean("agency", "import", self.path("a.json"), "--lang", "km")
        self.assertEqual(self.counts(told), (0, 0, len(before), 0), told)

    def test_a_row_that_belongs_to_no_other_is_named(self):
        self.node.spean("agency", "export", "--format", "hsds-csv", "--out", self.path("csv"))
        self.path("csv/organizations.csv").write_text("id,name\no,One\np,\n")
        self.path("csv/phones.csv").write_text(
            "id,organization_id,number\n1,o,+85512\n2,x,+85513\n3,o,none\n")
        told = self.node.spean("agency", "import", self.path("csv"), "--lang", "en", expect=3)
        self.assertEqual(told["created"], 1, told)
        places = " ".join(row["place"] for row in told["errors"])
        for place in ("phones.csv, line 3", "organizations.csv, line 3"):
            self.assertIn(place, places)

    def test_what_was_changed_in_an_export_is_changed_in_its_own_record(self):
        self.fill()
        before = self.agencies()
        self.node.spean("agency", "export", "--out", self.path("a.json"), "--lang", "km")
        rows = json.loads(self.path("a.json").read_text())
        row = next(row for row in rows if row["name"] == KHMER)
        row["email"] = "help@example.org"
        self.node.write("b.json", json.dumps(rows).encode())
        told = self.node.spean("agency", "import", self.path("b.json"), "--lang", "km")
        self.assertEqual(self.counts(told), (0, 1, len(before) - 1, 0), told)
        after = self.agencies()
        self.assertEqual(set(after), set(before))
        fields = dict(before[row["id"]]["fields"], email="help@example.org")
        self.assertEqual(after[row["id"]]["fields"], fields)

    def test_another_ledger_gets_what_the_file_says(self):
        self.fill()
        self.node.spean("agency", "export", "--out", self.path("a.json"), "--lang", "en")
        other = self.cluster.add(*NAMES[1])
        other.start()
        other.spean("ledger", "found", "--name", "Another", *other.admin())
        words = ("agency", "import", self.path("a.json"), "--lang", "en")
        told = other.spean(*words)
        self.assertEqual(told["created"], len(self.agencies()), told)
        self.assertEqual(other.spean(*words)["unchanged"], len(self.agencies()))

    def test_everything_is_exported_with_who_wrote_it(self):
        self.fill()
        self.node.spean("agency", "export", "--out", self.path("all.jsonl"), "--format", "jsonl")
        lines = [json.loads(line) for line in self.path("all.jsonl").read_text().splitlines()]
        self.assertEqual({line["id"]: line["fields"] for line in lines},
                         {id: one["fields"] for id, one in self.agencies().items()})
        self.assertTrue(all(set(line["fields"]) <= set(line["written"]) for line in lines))

    @unittest.skipUnless((SHARED / "hsds").is_dir(), "the official examples are not there")
    def test_the_official_examples_come_back(self):
        path = SHARED / "hsds" / "examples" / "organization_full.json"
        self.node.spean("agency", "import", path, "--lang", "en")
        self.node.spean("agency", "export", "--out", self.path("a.json"), "--lang", "en")
        told = self.node.spean("agency", "import", self.path("a.json"), "--lang", "en")
        self.assertEqual((told["created"], told["changed"], told["failed"]), (0, 0, 0), told)


if __name__ == "__main__":
    unittest.main()
