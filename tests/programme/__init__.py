"""The programme of tests: what runs at every change, at a landing and in a campaign, and the ledger of what was run."""
