"""What `--help` shows as examples, by subcommand. tests/cli/test_help.py parses each of them."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "incident open 'Checkout fails' --service checkout --severity P1",
        "incident status                      # what is open, and what is due next",
        "incident ack .                       # the only open incident",
        "incident watch 42                    # also INC-42, '#42' or latest",
        "incident update 42 'A fix is being tested.'",
        "incident resolve 42 --wait",
    ),
    "list": (
        "incident list",
        "incident list --all --json",
        "incident list --overdue              # overdue post-mortems",
    ),
    "similar": ("incident similar 42",),
    "open": (
        "incident open 'Checkout fails' --service checkout --severity P1",
        "incident open 'Leaked key' --service api --severity P0 --private",
        "incident open 'Paging drill' --service api --severity P2 --drill",
        "incident open 'It is back' --service api --severity P1 --repeats 42",
    ),
    "status": (
        "incident status                      # every open incident",
        "incident status 42",
    ),
    "show": (
        "incident show 42",
        "incident show .                      # the only open incident",
        "incident show 42 --full",
    ),
    "watch": (
        "incident watch latest",
        "incident watch 42 --until resolved",
    ),
    "timeline": (
        "incident timeline 42 --people        # what people did",
        "incident timeline 42 --public        # what customers read",
        "incident timeline 42 --since 30m",
        "incident timeline 42 --since 14:05 --follow",
    ),
    "check": (
        "incident check",
        "incident check --file new-runbook.yaml",
    ),
    "ack": (
        "incident ack 42",
        "incident ack . --at 2026-11-23T14:02:00Z",
    ),
    "correct": ("incident correct 42 mitigated 2026-11-23T14:30:00Z --reason 'error graph'",),
    "assess": (
        "incident assess 42 'Half of all requests fail.' --customers ACME,Globex",
        "incident assess 42 'Nobody can sign in.' --services login --complete",
    ),
    "severity": (
        "incident severity 42                 # the definitions",
        "incident severity 42 P1 --reason 'one region only'",
    ),
    "update": (
        "incident update 42 'We found the cause and are testing a fix.'",
        "incident update 42 'The fix is out.' --next",
    ),
    "hold": ("incident hold 42 10 --reason 'waiting for numbers'",),
    "escalate": ("incident escalate 42 --reason 'no progress'",),
    "role": (
        "incident role 42 commander bob",
        "incident role 42 scribe --unassign",
    ),
    "private": ("incident private 42 --reason 'suspected intrusion'",),
    "note": ("incident note 42 'Restarted the evaluator of eu-001.'",),
    "step": (
        "incident step 42 channel --retry",
        "incident step 42 channel --skip 'Slack is down'",
    ),
    "confirm": (
        "incident confirm 42 --customer ACME",
        "incident confirm 42 --customer ACME --not-restored --note 'still 500'",
    ),
    "monitor": ("incident monitor 42 'Error rates are back to normal.'",),
    "resolve": (
        "incident resolve 42 'Service is back to normal.'",
        "incident resolve 42 --wait",
        "incident resolve 42 --force --reason 'the alert is stale'",
    ),
    "reopen": ("incident reopen 42 --reason 'errors are back'",),
    "cancel": ("incident cancel 42 --reason 'broken probe'",),
    "review-drill": ("incident review-drill 42 'Paging works; the bridge link was missing.'",),
    "merge": ("incident merge 43 --into 42",),
    "unmerge": ("incident unmerge 43",),
    "rollback": (
        "incident rollback 42",
        "incident rollback 42 --cluster eu-001",
        "incident rollback 42 --to v2.14.0   # not the newest known-good",
        "incident rollback 42 --forward",
    ),
    "approve": ("incident approve 42",),
    "decline": ("incident decline 42 --reason 'not the release'",),
    "verdict": ("incident verdict 42 healthy --reason 'errors are gone'",),
    "flag": ("incident flag 42 v2.15.0 --reason 'leaks memory'",),
    "candidates": ("incident candidates 42",),
    "report": (
        "incident report --from 2026-11-01 --to 2026-11-30",
        "incident report --format html > report.html",
    ),
    "backfill": (
        "incident backfill --title 'Slow sign-in' --service login --severity P2 \\",
        "    --started 2026-11-23T14:02:00Z --resolved 2026-11-23T15:10:00Z",
    ),
    "stuck": ("incident stuck",),
    "reset": (
        "incident reset 42",
        "incident reset 42 --postmortem --yes",
    ),
    "evidence": ("incident evidence verify 42",),
    "evidence list": ("incident evidence list 42",),
    "evidence verify": ("incident evidence verify 42",),
    "alert": ("incident alert test alert.json --source grafana",),
    "alert test": (
        "incident alert test alert.json --source grafana",
        "incident alert test - --offline < alert.json",
    ),
    "maintenance": ("incident maintenance start --for 2h --service dashboard --reason 'upgrade'",),
    "maintenance start": (
        "incident maintenance start --for 2h --service dashboard --reason 'upgrade'",
        "incident maintenance start --until 2026-11-23T16:00:00Z --reason 'new network'",
    ),
    "maintenance end": ("incident maintenance end 1",),
    "maintenance list": ("incident maintenance list",),
    "keys": ("incident keys new 2026-11",),
    "keys new": (
        "incident keys new 2026-11",
        "incident keys new 2026-11 --json",
    ),
    "token": ("incident token create ann --scope read --scope respond --for 90d",),
    "token create": (
        "incident token create ann --scope read --scope respond --for 90d",
        "incident token create nightly-billing --scope alerts",
    ),
    "token list": ("incident token list",),
    "token revoke": ("incident token revoke 1f2e3d4c",),
    "postmortem": (
        "incident postmortem show 42",
        "incident postmortem submit 42",
    ),
    "postmortem show": ("incident postmortem show 42",),
    "postmortem start": ("incident postmortem start 42",),
    "postmortem edit": (
        "incident postmortem edit 42 --file postmortem-42.md",
        "incident postmortem edit 42 --cause deployment --summary 'A bad release.'",
    ),
    "postmortem why": (
        "incident postmortem why 42 'The release was not tested with old SDKs.'",
        "incident postmortem why 42 'No test covers old SDKs.' --root-cause",
    ),
    "postmortem well": ("incident postmortem well 42 'The rollback took 4 minutes.'",),
    "postmortem better": ("incident postmortem better 42 'Customers were told late.'",),
    "postmortem action": (
        "incident postmortem action 42 'Test with old SDKs' --owner bob \\",
        "    --due 2026-12-31 --outcome 'A test fails with SDK 1.0'",
        "incident postmortem action 42 --done 1",
    ),
    "postmortem assign": ("incident postmortem assign 42 ann",),
    "postmortem submit": ("incident postmortem submit 42",),
    "postmortem publish": ("incident postmortem publish 42",),
    "postmortem waive": ("incident postmortem waive 42 --reason 'duplicate of INC-41'",),
    "postmortem review": ("incident postmortem review 42 --outcome 'accepted'",),
}
"""The root's examples are those of "". A line that ends in a backslash goes on in the next one."""
