"""`--guess` on folders of a shop as it finds them: each is imported by the mapping it writes, unedited."""

from __future__ import annotations

import datetime as dt

from tests.imports.sheet import Sheet, sheet
from tests.imports.test_guess import guessed, workbook

__all__ = ["sheet"]

WORK = """
SELECT s.external_id, s.step_order, u.full_name, (k.started_at AT TIME ZONE 'Europe/Berlin')::text,
    (extract(epoch FROM k.ended_at - k.started_at) / 60)::int, k.quantity_good, k.quantity_rejected, k.reject_reason
FROM work_records AS k JOIN job_steps AS s ON s.id = k.step_id JOIN users AS u ON u.id = k.user_id
ORDER BY k.started_at, k.id
"""


def test_german_orders_operations_and_reports_from_the_shop_floor(sheet: Sheet) -> None:
    orders = (
        "Fertigungsauftrag;Kunde;Materialbezeichnung;Sollmenge;Starttermin;Endtermin;Status;Prio\n"
        "FA-1;Müller GmbH;Welle Ø20;1.200;02.06.2025;13.06.2025;in Arbeit;hoch\n"
        "FA-2;Größe AG;Büchse;350;03.06.2025;20.06.2025;offen;normal\n"
    )
    operations = (
        "Fertigungsauftrag;AG-Nr;Arbeitsgang;Arbeitsplatz;Rüstzeit (h);Stückzeit (s)\n"
        "FA-1;10;Sägen;Säge 1;0,25;30\nFA-1;20;Drehen;Drehbank;0,75;120\nFA-2;10;Sägen;Säge 1;1;30\n"
    )
    reports = (
        "Nr;Fertigungsauftrag;AG-Nr;Personalnummer;Beginn;Ende;Gutmenge;Ausschuss;Ausschussgrund\n"
        "1;FA-1;10;4711;02.06.2025 06:00;02.06.2025 09:15;600;3;Grat\n"
        "2;FA-1;10;4712;02.06.2025 09:15;02.06.2025 14:00;597;0;\n3;FA-1;20;4711;03.06.2025 06:00;;;;\n"
    )
    guessed(
        sheet,
        **{
            "Fertigungsaufträge_csv": orders.encode("cp1252"),
            "Arbeitsgänge_csv": operations.encode("cp1252"),
            "Rückmeldungen_csv": reports,
        },
    )
    assert sheet.rows(
        "SELECT job_number, title, quantity, due_date::text, status, priority FROM jobs ORDER BY 1"
    ) == [
        ("FA-1", "Welle Ø20", 1200, "2025-06-13", "active", "high"),
        ("FA-2", "Büchse", 350, "2025-06-20", "draft", "normal"),
    ]
    assert sheet.rows(
        "SELECT s.external_id, p.name, m.name, s.setup_minutes, s.seconds_per_piece FROM job_steps AS s "
        "JOIN processes AS p ON p.id = s.process_id JOIN machines AS m ON m.id = s.machine_id ORDER BY 1"
    ) == [
        ("FA-1-10", "Sägen", "Säge 1", 15, 30),
        ("FA-1-20", "Drehen", "Drehbank", 45, 120),
        ("FA-2-10", "Sägen", "Säge 1", 60, 30),
    ]
    assert sheet.rows(WORK) == [
        ("FA-1-10", 10, "User 4711", "2025-06-02 06:00:00", 195, 600, 3, "Grat"),
        ("FA-1-10", 10, "User 4712", "2025-06-02 09:15:00", 285, 597, 0, None),
        ("FA-1-20", 20, "User 4711", "2025-06-03 06:00:00", None, 0, 0, None),
    ]


def test_a_workbook_of_stops_below_title_rows_finds_machines_by_their_names(sheet: Sheet) -> None:
    morning = dt.datetime(2025, 6, 2, 7, 30)
    content = workbook(
        {
            "Machine downtime": [
                ["Plant 3 - downtime report"], ["printed", dt.datetime(2025, 7, 1, 8, 0)], [],
                ["Machine", "Down since", "Up since", "Cause", "Remark"],
                ["Press 1", morning, morning + dt.timedelta(minutes=40), "tool broken", None],
                ["Press 2", morning, morning + dt.timedelta(minutes=45), "no material", "waited for coil"],
                ["Press 1", dt.datetime(2025, 6, 30, 22, 0), None, "motor", None],
            ],
            "Machines": [
                ["Machine list"], ["No", "Machine", "Hall", "State"], ["M1", "Press 1", "North", "in repair"],
                ["M2", "Press 2", "North", "in use"], ["M3", "Saw", "South", "scrapped"],
            ],
        },
        {},
    )  # fmt: skip
    guessed(sheet, downtime_xlsx=content)
    assert sheet.rows("SELECT external_id, name, location, status FROM machines ORDER BY 1") == [
        ("M1", "Press 1", "North", "maintenance"),
        ("M2", "Press 2", "North", "active"),
        ("M3", "Saw", "South", "inactive"),
    ]
    assert sheet.rows(
        "SELECT m.name, k.reason, k.note, (extract(epoch FROM k.ended_at - k.started_at) / 60)::int "
        "FROM machine_stops AS k JOIN machines AS m ON m.id = k.machine_id ORDER BY k.id"
    ) == [
        ("Press 1", "tool broken", None, 40),
        ("Press 2", "no material", "waited for coil", 45),
        ("Press 1", "motor", None, None),
    ]


def test_an_event_log_with_begin_and_end_of_machines(sheet: Sheet) -> None:
    guessed(
        sheet,
        production_log_tsv="Case ID\tActivity\tResource\tStart Timestamp\tComplete Timestamp\tQty Rejected\n"
        "Case 1\tTurning\tMachine 4\t2012/01/29 23:24:00\t2012/01/30 05:43:00\t0\n"
        "Case 1\tPacking\tMachine 9\t2012/01/30 06:00:00\t2012/01/30 07:00:00\t1\n"
        "Case 2\tTurning\tMachine 4\t2012/01/31 05:00:00\t2012/01/31 13:00:00\t0\n"
        "Case 2\tPacking\tMachine 9\t2012/02/01 07:00:00\t2012/02/01 08:30:00\t0\n",
    )
    assert sheet.rows(
        "SELECT j.job_number, s.step_order, p.name, m.name, s.quantity_rejected, "
        "(extract(epoch FROM s.completed_at - s.started_at) / 60)::int FROM job_steps AS s "
        "JOIN jobs AS j ON j.id = s.job_id JOIN processes AS p ON p.id = s.process_id "
        "JOIN machines AS m ON m.id = s.machine_id ORDER BY 1, 2"
    ) == [
        ("Case 1", 1, "Turning", "Machine 4", 0, 379),
        ("Case 1", 2, "Packing", "Machine 9", 1, 60),
        ("Case 2", 1, "Turning", "Machine 4", 0, 480),
        ("Case 2", 2, "Packing", "Machine 9", 0, 90),
    ]


def test_repairs_name_their_client(sheet: Sheet) -> None:
    guessed(
        sheet,
        clients_csv="client no,name,city\n7,North Mill,Leeds\n8,South Works,York\n9,Fox,Hull\n",
        repairs_csv="ticket no,client name,what is wrong,opened on,closed on,state\n"
        "T-1,North Mill,pump leaks,6/1/25 9:15 AM,6/13/25 4:00 PM,closed\n"
        "T-2,Fox,belt,6/14/25 8:00 AM,,waiting for parts\nT-3,North Mill,noise,6/15/25 10:00 AM,,open\n",
    )
    assert sheet.rows(
        "SELECT j.job_number, c.external_id, j.title, j.status, (j.created_at AT TIME ZONE 'Europe/Berlin')::text "
        "FROM jobs AS j JOIN customers AS c ON c.id = j.customer_id ORDER BY 1"
    ) == [
        ("T-1", "7", "pump leaks", "completed", "2025-06-01 09:15:00"),
        ("T-2", "9", "belt", "on_hold", "2025-06-14 08:00:00"),
        ("T-3", "7", "noise", "draft", "2025-06-15 10:00:00"),
    ]


def test_french_orders_in_utf_16_and_times_of_people_on_them(sheet: Sheet) -> None:
    orders = (
        "Commandes en cours\r\n\r\nN° commande\tClient\tDésignation\tQté\tDate commande\tDate livraison\tStatut\r\n"
        "C-7\tMaison Dupont\tPoignée\t1 250\t02/06/2025\t30/06/2025\ten cours\r\n"
        "C-8\tAtelier Réné\tCharnière\t80\t13/06/2025\t\tterminée\r\nTotal\t\t\t1 330\t\t\t\r\n"
    )
    guessed(
        sheet,
        commandes_txt=orders.encode("utf-16"),
        pointages_csv="id;commande;opération;salarié;début;fin;pièces bonnes;rebuts\n"
        "1;C-7;Découpe;Luc;02/06/2025 08:00;02/06/2025 10:30;100;2\n2;C-7;Soudure;Zoé;03/06/2025 08:00;;;\n"
        "3;C-8;Découpe;Luc;13/06/2025 14:00;13/06/2025 15:00;80;0\n",
    )
    assert sheet.rows("SELECT job_number, title, quantity, status FROM jobs ORDER BY 1") == [
        ("C-7", "Poignée", 1250, "active"),
        ("C-8", "Charnière", 80, "completed"),
    ]
    assert sheet.rows(WORK) == [
        ("C-7-Découpe", 1, "Luc", "2025-06-02 08:00:00", 150, 100, 2, None),
        ("C-7-Soudure", 2, "Zoé", "2025-06-03 08:00:00", None, 0, 0, None),
        ("C-8-Découpe", 1, "Luc", "2025-06-13 14:00:00", 60, 80, 0, None),
    ]
    assert sheet.rows("SELECT external_id, quantity_done, quantity_rejected FROM job_steps ORDER BY 1") == [
        ("C-7-Découpe", 100, 2),
        ("C-7-Soudure", 0, 0),
        ("C-8-Découpe", 80, 0),
    ]


def test_a_timesheet_has_the_day_once_and_the_jobs_of_their_list(sheet: Sheet) -> None:
    guessed(
        sheet,
        timesheet_csv="employee,date,from,to,job,task,hours\nAnn Fox,2025-06-02,07:00,09:30,J-1,cutting,2.5\n"
        "Ben Hill,2025-06-02,08:00,12:00,J-1,welding,4\nAnn Fox,2025-06-03,07:00,15:00,J-2,cutting,8\n",
        jobs_csv="job,description,hours planned,due\nJ-1,Frame,12.5,2025-06-20\nJ-2,Gate,6,2025-06-30\n",
    )
    assert sheet.rows("SELECT job_number, title FROM jobs ORDER BY 1") == [("J-1", "Frame"), ("J-2", "Gate")]
    assert [row[:5] for row in sheet.rows(WORK)] == [
        ("J-1-cutting", 1, "Ann Fox", "2025-06-02 07:00:00", 150),
        ("J-1-welding", 2, "Ben Hill", "2025-06-02 08:00:00", 240),
        ("J-2-cutting", 1, "Ann Fox", "2025-06-03 07:00:00", 480),
    ]
    assert sheet.rows("SELECT count(*) FROM call_log") == [(0,)]


def test_months_by_name_in_other_languages(sheet: Sheet) -> None:
    guessed(
        sheet,
        orders_csv="Order No;Title;Due date;Created\n1;a;3. März 2026;28-Dez-2025\n2;b;14. Mai 2026;05-Jan-2026\n",
    )
    assert sheet.rows("SELECT due_date::text FROM jobs ORDER BY job_number") == [
        ("2026-03-03",),
        ("2026-05-14",),
    ]
