"""A seeded stream of commands that reaches the rare states: drawn shape first, then valid, wrong and garbage.

Owns the random choices; looks at an exchange's reads to be valid, never at its internals. The same seed gives
the same commands for the same answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

from solvent import Collateral, Funding, Index, Instrument, PriceModel, Rates, RuleSet, Tier, rules
from solvent.records import NO_INSTRUMENT, NOBODY, CommandType, Flag, Mode, SelfTrade, Side, Tif, TriggerKind
from solvent.schema.commands import command, extension
from solvent.terms.names import client_number
from solvent.terms.spec import to_records
from solvent.terms.tiers import okex_btc_2019
from support import wide
from support.batches import drawn_batch
from support.market_states import change_of_state, drawn_calls
from support.shaped_orders import PLAIN_SOURCES, moved_trigger, reshaped
from support.spoiled import spoiled
from support.wide import policies

ACCOUNTS = 14


class Generator:
    """One run's shape: instruments, tiers, population, liquidity, volatility and error rate are drawn first.

    wide: draws what venues ask of orders besides money, too, from numbers of its own: the same seed without it gives the same
    stream as before there was any of that.
    """

    def __init__(self, seed: int, wide: bool = False):
        self.random = Random(seed)
        self.more = Random(~seed)
        self.wide = wide
        self.batches = Random(2 * seed + 1)
        self.joined = self.batches.choice([0.0, 0.0, 0.03, 0.1]) if wide else 0.0  # share of batches
        self.linking = Random(~seed) if wide and seed % 4 == 3 else None  # a stream with brackets
        self.unrest = self.more.choice([0.0, 0.0, 0.02, 0.06]) if wide else 0.0  # share of changes of a market's state
        r = self.random
        self.plain = r.random() < 0.4  # linear contracts, tiers by contracts, marks handed in, one-way positions
        self.related = not self.plain and r.random() < 0.15  # instruments of one tier group
        fee = r.choice([None, "0.0005", "0.002"])
        self.settle = r.choice([("USDT", "USDT"), ("USDT", "USDC")]) if not self.related else ("USDT", "USDT")
        kinds = ["linear" if self.plain else r.choice(["linear", "inverse", "quanto"]) for _ in range(2)]
        self.decimals, self.fee = 9 if "inverse" in kinds else 6, fee
        self.instruments = [self._instrument(f"I{i}", self.settle[i], kinds[i]) for i in range(r.choice([1, 2, 2]))]
        self.collateral = self._collateral()
        self.candidate = self.instruments[0]  # the one that an ADD_INSTRUMENT asks for
        self.listings = 0.0 if self.plain else r.choice([0.0, 0.3])  # weight of halts, settlements and new instruments
        self.wealth = r.choice([3, 4, 6])
        self.cross = r.choice([0.1, 0.5, 1.0])
        self.chooses = not self.plain and r.random() < 0.3  # tiers of their own choice
        self.rules: RuleSet = rules.find(r.choice(["seed", "okx_consistent"]))
        if not self.plain and r.random() < 0.6:
            fee_at = r.choice(["mark", "bankruptcy"])
            self.rules = replace(
                self.rules, net_hedges=r.random() < 0.5 or any(each.basis == "net" for each in self.instruments),
                orders=r.choice(["ignored", "notional", "fee"]), fund_share_ppb=r.choice([10**9, 0, 333_333_333]),
                funding_first=r.random() < 0.5, fee_at=fee_at, funding_cap=fee_at == "mark" and r.random() < 0.7,
                at_threshold=r.random() < 0.5,
            )  # fmt: skip
        self.rules = replace(self.rules, **policies(self.more)) if self.wide else self.rules
        self.hedged = 0.0 if self.plain else r.choice([0.0, 0.6, 0.9])  # share of accounts that hold both sides apart
        self.volatility = r.choice([3, 30, 120])  # usual mark step in basis points
        self.gap = r.choice([0.0, 0.02, 0.1, 0.4])  # chance that a mark step is a gap
        self.marks = r.choice([9, 9, 40])  # weight of marks against 60 of orders
        self.thin = r.random() < 0.35  # mostly pairs that trade at once: nobody is there to buy a parcel
        self.error = r.choice([0.02, 0.1, 0.25])
        self.crossing = r.choice([0.15, 0.4])
        self.fund = r.choice([0, 1, 10**6, 10**9])
        self.liquid = r.choice([0.3, 1.0])
        self.accounts = r.choice([4, 8, ACCOUNTS])
        self.extended = r.choice([0.0, 0.2, 0.6])  # share of orders with a trigger, an expiry or a slippage
        self.mingled = r.choice([0.0, 0.3])  # share of orders with a self-trade mode or group of their own
        self.pace = r.choice([0.01, 0.3])  # chance that time passes before a command
        self.client_ids: list[int] = []
        self.pending: list[bytes] = []
        self.time_ns = 0
        self.period = 0

    def _collateral(self) -> list[Collateral]:
        """In some shapes other currencies back the first one, one of them with contracts of its own; their prices are an
        instrument's."""
        r = self.random
        linear = [each for each in self.instruments if each.kind == "linear"]
        if self.plain or not linear or r.random() < 0.5:
            return []
        terms = {"of": self.settle[0], "price": r.choice(linear).name}
        found = [Collateral("ETH", haircut=r.choice(["0.05", "0.5"]), decimals=8, **terms)]
        found += [Collateral("SOL", haircut="0.2", decimals=3, **terms) for _ in range(r.choice([0, 1]))]
        backs = self.settle[1] != self.settle[0] and len(self.instruments) == 2 and self.instruments[1].spec.adds_up
        if backs:  # a unit of it counts next to nothing, or much
            found += [Collateral(self.settle[1], haircut=r.choice(["0.1", "0.99999"]), decimals=self.decimals, **terms)]
        return found

    def _instrument(self, name: str, settle: str, kind: str) -> Instrument:
        r = self.random
        dated = {"expiry_ns": r.randrange(10**9, 10**11), "settle_window_ns": 10**9} if r.random() < 0.15 else {}
        prices = self._prices(kind, bool(dated))
        dated = dated if prices else {}
        tiers, at = self._tiers(kind), "entry" if not self.plain and r.random() < 0.2 else "mark"
        if (tiers["scheme"], tiers["basis"]) == ("deduction", "notional"):
            at = "mark"
        return Instrument(
            name, settle=settle, kind=kind, contract_size="500" if kind == "inverse" else "0.01",
            tick=r.choice(["0.1", "1"]), max_price=r.choice([None, "70000", "60000"]),
            settle_decimals=self.decimals, prices=prices, **self._fees(kind),
            maintenance_at=at, hedge=r.choice(["both", "larger"]), rates=self._rates(tiers["tiers"]),
            order_limits=wide.limits(self.more, kind) if self.wide else None,
            calls=drawn_calls(self.more) if self.wide else None, **dated, **tiers,
        )  # fmt: skip

    def _rates(self, tiers: Sequence[Tier]) -> list[Rates]:
        """In some shapes positions of a side, or of low leverage, have rates of their own."""
        r = self.random
        if self.plain or r.random() < 0.7:
            return []
        weights = r.sample([Decimal("0.2"), Decimal("0.4"), Decimal("0.6")], r.choice([1, 2]))
        return [
            Rates(
                [Decimal(tier.maintenance) + weight * (Decimal(tier.initial) - Decimal(tier.maintenance)) for tier in tiers],
                side=r.choice([None, "long", "short"]), max_leverage=r.choice([None, 3, 20]),
            )
            for weight in weights
        ]  # fmt: skip

    def _fees(self, kind: str) -> dict:
        """In some shapes fees fall with volume, soon; in some who is liquidated pays his own taker fee, then much less."""
        r = self.random
        base = {"taker_fee": r.choice(["0.0005", "0.0007"]), "maker_fee": r.choice(["0.0002", "0", "-0.0003"])}
        if self.plain or (chance := r.random()) < 0.6:
            return base | {"liquidation_fee": self.fee}
        small = Decimal("0.02") if kind == "inverse" else 1_000
        tiers = [(small, "-0.0003", "0.0004"), (50 * small, "-0.0003", "0.0003")]
        if chance < 0.8:
            return base | {"liquidation_fee": self.fee, "fee_tiers": tiers}
        return base | {"liquidation_fee": "own", "fee_tiers": tiers, "taker_fee": "0.005"}

    def _tiers(self, kind: str) -> dict:
        """Tiers by basis and scheme; the plain ones of the seed in half of the shapes."""
        r = self.random
        first, step, levels = r.choice([3, 8, 40]), r.choice([5, 12, 60]), r.choice([4, 6, 9])
        table = okex_btc_2019(first=first, step=step, levels=levels)
        highest = table[-1].max_contracts
        scheme, basis = r.choice([("whole", "contracts")] if self.plain else [("whole", "contracts")] * 2 + [
            ("whole", "notional"), ("whole", "entry"), ("whole", "net"), ("deduction", "notional"), ("deduction", "contracts"),
            ("deduction", "entry"), ("slope", "contracts"), ("power", "contracts"), ("factor", "contracts"),
            ("factor", "net"),
        ])  # fmt: skip
        terms: dict = {"tiers": table, "scheme": scheme, "basis": basis}
        if self.related:
            terms |= {"scheme": r.choice(["whole", "factor"]), "basis": "net", "tier_group": 1}
            return terms
        if basis in ("notional", "entry"):  # in money: 500 USDT or 0.01 BTC a contract
            worth = Decimal("0.01") if kind == "inverse" else Decimal(500)
            terms["tiers"] = [replace(tier, max_contracts=tier.max_contracts * worth) for tier in table]
            terms["max_size"] = 2 * highest
        if scheme == "slope":
            terms |= {"tiers": [Tier(highest, "0.005", "0.01")], "maintenance_curve": "0.0001", "initial_curve": "0.0003"}
        if scheme == "power":
            curve = Decimal("0.00001") if kind != "inverse" else Decimal("0.003")
            terms |= {"tiers": [Tier(highest, "0.005", "0.01")], "maintenance_curve": curve, "initial_curve": 2 * curve}
        return terms

    def _prices(self, kind: str, dated: bool) -> PriceModel | None:
        """A price model in a third of the shapes: all components, constituents that go stale, short funding intervals."""
        r = self.random
        if self.plain or r.random() < 0.5:
            return None
        index = Index(
            sources={f"s{i}": r.choice([1, 1, 2, 3]) for i in range(r.choice([1, 3, 4]))}, stale_ns=r.choice([10**9, 10**12]),
            outlier=r.choice(["0.02", "0.2"]), wild=r.choice(["drop", "clip"]), least=1, method=r.choice(["mean", "median"]),
            external={} if r.random() < 0.5 else {"x": 1, "y": 2},
        )  # fmt: skip
        index = None if r.random() < 0.4 else index
        names = ["index", "fair", "basis_mean", "basis_ema", "last", "book"]
        names += ["basis_annual"] * dated + ["external"] * bool(index and index.external)
        weights = r.choice(["equal", "linear", "index"])
        funding = Funding(
            interval_ns=r.choice([10**9, 3 * 10**9]),
            premium=r.choice(["impact", "impact_on_mark", "middle", "mark"]),
            bound=1 if weights == "index" else r.choice([64, "0.001"]),
            impact=5 if kind == "inverse" else 2_000, weights=weights, share=r.choice([(1, 1), (1, 8)]),
            cap=r.choice(["0.02", "0.0003"]),
            clamp=r.choice(["0.0005", ("-0.0001", "0.0004")]), cutoff_ns=r.choice([0, 10**8]), delayed=r.random() < 0.5,
            trailing=0 if weights != "equal" else r.choice([0, 1, 50]), notional=r.choice(["mark", "index"]),
            margin=r.choice([0, "0.5", "1"]),
        )  # fmt: skip
        return PriceModel(
            components=r.sample(names, r.choice([1, 2, 3, len(names)])), sample_ns=r.choice([10**6, 10**8]),
            window=r.choice([1, 5, 30]), alpha=r.choice(["0.1", "0.001"]), band=r.choice([None, "0.01"]), index=index,
            funding=funding if r.random() < 0.7 else None,
        )  # fmt: skip

    def opening(self) -> list[bytes]:
        """Accounts, deposits, the fund, first marks, some leverage."""
        r = self.random
        records = []
        for i in range(self.accounts):
            name = f"a{i}".encode().ljust(64, b"\0")
            of = r.choice([0, 0, 16]) if i else 0  # some are sub-accounts of the first
            records.append(command(CommandType.OPEN_ACCOUNT, records=2, order_id=of) + name)
        settled = len({each.settle for each in self.instruments})
        currencies = len({each.settle for each in self.instruments} | {each.currency for each in self.collateral})
        for account in range(16, 16 + self.accounts):
            for currency in range(currencies):
                amount = r.choice([10**6, 10**8, 2 * 10**8, 10**9, 10**10, 10**12][: self.wealth])
                if currency >= settled:
                    amount = r.choice([1, 10**4, 10**5, 10**6])
                records.append(command(CommandType.DEPOSIT, account=account, instrument=currency, amount=amount))
        if self.fund:
            records.append(command(CommandType.SEED_FUND, instrument=0, amount=self.fund))
        for i, each in enumerate(self.instruments):
            records += self._first_prices(i, each)
            for account in range(16, 16 + self.accounts):
                if r.random() < self.hedged:
                    records.append(command(CommandType.SET_POSITION_MODE, account=account, instrument=i, mode=1))
                records.append(self._leverage(account, i))
        modelled = any(each.prices for each in self.instruments)
        if currencies == 1 and len(self.instruments) == 2 and not modelled and r.random() < 0.5:
            records += self._rehearsal()
        elif self.hedged and not modelled:
            records += self._hedge()
        return records

    def _hedge(self) -> list[bytes]:
        """A cross account long 9 and short 6 of the first instrument on what two contracts are worth, and a mark that takes
        seven tenths: what both legs have in common is closed before the house takes the rest."""
        hedger, maker = 16 + self.accounts, 17 + self.accounts
        first = self.instruments[0]
        price = int(50_000 / first.tick_size)
        worth = 10**first.settle_decimals // 100 if first.kind == "inverse" else 500 * 10**first.settle_decimals
        records = []
        for account, amount in ((hedger, 2 * worth), (maker, 1_000 * worth)):
            name = f"h{account}".encode().ljust(64, b"\0")
            records.append(command(CommandType.OPEN_ACCOUNT, records=2) + name)
            records.append(command(CommandType.DEPOSIT, account=account, instrument=0, amount=amount))
        records.append(command(CommandType.SET_POSITION_MODE, account=hedger, instrument=0, mode=1))
        for side, lots in ((Side.BUY, 9), (Side.SELL, 6)):
            terms = {"instrument": 0, "size_lots": lots, "price_ticks": price}
            records.append(command(CommandType.ORDER, account=maker, side=1 - side, **terms))
            leg = extension(hedge_side=1 + side)
            records.append(command(CommandType.ORDER, records=2, account=hedger, side=side, tif=Tif.IOC, **terms) + leg)
        return records + [command(CommandType.MARK, instrument=0, price_ticks=ticks) for ticks in (price * 3 // 10, price)]

    def _first_prices(self, instrument: int, each: Instrument) -> list[bytes]:
        """Whatever gives an instrument its first mark."""
        home = {"instrument": instrument, "price_ticks": int(50_000 / each.tick_size)}
        if each.prices is None:
            return [command(CommandType.MARK, time_ns=self.time_ns, **home)]
        if each.prices.index is None:
            return [command(CommandType.INDEX, time_ns=self.time_ns, **home)]
        count = len(each.prices.index.sources) + len(each.prices.index.external)
        return [command(CommandType.SOURCE, time_ns=self.time_ns, order_id=number, **home) for number in range(count)]

    def _rehearsal(self) -> list[bytes]:
        """What chance hardly finds: a long parcel rests while a cross account, ruined by its other
        instrument, brings a short parcel at a price far below; with a small fund only pass 2 can close it. In
        the other half the long is still its owner's, who could not pay such a price: pass 3."""
        long, ruined, maker = range(16 + self.accounts, 19 + self.accounts)
        prices = [int(50_000 / each.tick_size) for each in self.instruments]
        records = []
        for account, amount in ((long, 10**8), (ruined, 2 * 10**8), (maker, 10**10)):
            name = f"r{account}".encode().ljust(64, b"\0")
            records.append(command(CommandType.OPEN_ACCOUNT, records=2) + name)
            records.append(command(CommandType.DEPOSIT, account=account, instrument=0, amount=amount))
        for account, instrument, leverage, mode in ((long, 0, 50, 1), (ruined, 0, 20, 0), (ruined, 1, 20, 0)):
            terms = {"instrument": instrument, "amount": leverage, "mode": mode}
            records.append(command(CommandType.SET_LEVERAGE, account=account, **terms))
        for instrument, seller, buyer in ((0, ruined, long), (1, maker, ruined)):
            terms = {"instrument": instrument, "size_lots": 3, "price_ticks": prices[instrument]}
            records.append(command(CommandType.ORDER, account=seller, side=Side.SELL, **terms))
            records.append(command(CommandType.ORDER, account=buyer, side=Side.BUY, tif=Tif.IOC, **terms))
        if self.random.random() < 0.5:
            records.append(command(CommandType.MARK, instrument=0, price_ticks=prices[0] * 492 // 500))
        records.append(command(CommandType.MARK, instrument=1, price_ticks=prices[1] * 3 // 5))
        return records

    def _leverage(self, account: int, instrument: int) -> bytes:
        r = self.random
        parts = 1 if self.plain else r.choice([0, 1, 1, 3, 50, 10**6, 10**6 + 1])
        times = r.choice([3, 10, 20, 40, 50, 66, 100]) * parts + r.choice([0, 1, -1]) * (parts > 1)
        return command(
            CommandType.SET_LEVERAGE, time_ns=self.time_ns, account=account, instrument=instrument,
            amount=times or 10, order_id=parts, size_lots=r.choice([0, 0, 0, 1, 2, 4, 6, 99]) if self.chooses else 0,
            side=r.choice([0, 1, 2]) if self.hedged else 0,
            mode=Mode.CROSS if r.random() < self.cross else Mode.ISOLATED,
        )  # fmt: skip

    def next(self, kernel) -> bytes:
        """The next command, given what the exchange shows now."""
        r = self.random
        if r.random() < self.pace:
            self.time_ns += r.choice([1, r.randrange(10**3), r.randrange(10**9)])
            if not self.plain and r.random() < 0.02:
                self.time_ns += r.randrange(r.choice([3, 3, 35]) * 86_400 * 10**9)
        if self.batches.random() < self.joined:
            return drawn_batch(self.batches, self.time_ns, lambda: self._one(kernel))
        return self._one(kernel)

    def _one(self, kernel) -> bytes:
        record = self.pending.pop() if self.pending else self._valid(kernel)
        if self.wide:
            record = self._wider(kernel, record)
        if self.random.random() < self.error:
            record = spoiled(self.random, record, self.time_ns)
        return record

    def _wider(self, kernel, record: bytes) -> bytes:
        """A record as it was, or with terms that only wide streams have."""
        instrument = int.from_bytes(record[8:12], "little") % len(self.instruments)
        mark = kernel.mark_ticks(instrument) or int(50_000 / self.instruments[instrument].tick_size)
        rows = kernel.dormant(instrument) if record[0] == CommandType.CANCEL and self.more.random() < 0.3 else []
        if rows:
            return moved_trigger(self.more, self.time_ns, self.more.choice(rows), mark * self.volatility // 5_000 + 2)
        return reshaped(self.more, record, mark, self.volatility, self.linking)

    def _valid(self, kernel) -> bytes:
        r = self.random
        if self.wide and (drawn := wide.rare(self, kernel)):
            return drawn
        if self.wide and self.more.random() < self.unrest:
            return change_of_state(self.more, self.time_ns, self.more.randrange(len(self.instruments)))
        account = r.randrange(16, 16 + self.accounts)
        instrument = r.randrange(len(self.instruments))
        weights = {
            "order": 60, "mark": self.marks, "cancel": 8, "amend": 6, "leverage": 2, "margin": 3, "deposit": 1.5, "guard": 3,
            "withdraw": 1, "fund": 0.3, "index": 2, "mass": 0.7, "funding": 1.5, "hedge": 0.8 if self.hedged else 0,
            "transfer": 0.7, "halt": 6 * self.listings, "settle": self.listings / 4, "add": self.listings,
        }  # fmt: skip
        kind = r.choices(list(weights), list(weights.values()))[0]
        if kind == "order" and self.thin and r.random() < 0.9:
            return self._pair(kernel, account, instrument)
        if kind in ("order", "guard"):
            return (self._order if kind == "order" else self._guard)(kernel, account, instrument)
        if kind in ("mark", "index"):
            return self._price(kernel, instrument, CommandType.MARK if kind == "mark" else CommandType.INDEX)
        if kind == "funding":
            self.period += r.choice([0, 1, 1, 1])
            rate = r.choice([-1, 1]) * r.choice([0, 1, 10**5, 10**6, 10**7, 10**9])
            return command(CommandType.FUNDING, time_ns=self.time_ns, instrument=instrument, order_id=self.period, amount=rate)
        if kind == "mass":
            return command(
                CommandType.MASS_CANCEL, time_ns=self.time_ns, account=r.choice([account, account, NOBODY]),
                instrument=r.choice([instrument, NO_INSTRUMENT]), side=r.randrange(3),
            )  # fmt: skip
        if kind in ("cancel", "amend"):
            return self._change(kernel, kind, account)
        if kind in ("transfer", "halt", "settle", "add"):
            return self._operate(kernel, kind, account, instrument)
        if kind == "hedge":
            mode = r.choice([0, 1, 1, 2])
            terms = {"account": account, "instrument": instrument, "mode": mode}
            return command(CommandType.SET_POSITION_MODE, time_ns=self.time_ns, **terms)
        if kind == "leverage":
            return self._leverage(account, instrument)
        common = {"time_ns": self.time_ns, "account": account}
        if kind == "margin":
            amount = r.choice([-1, 1]) * r.choice([1, 10**5, 10**7, 10**9])
            leg = r.choice([0, 1, 2]) if self.hedged else 0
            passes = {"client_id": r.randrange(1, len(self.instruments) + 2)} if r.random() < 0.3 else {}
            return command(CommandType.MOVE_MARGIN, instrument=instrument, amount=amount, side=leg, **common, **passes)
        money = {
            "deposit": CommandType.DEPOSIT, "withdraw": CommandType.WITHDRAW, "fund": CommandType.SEED_FUND
        }[kind]  # fmt: skip
        currency = r.choice([0, 0, 1]) if self.collateral or self.settle[1] != self.settle[0] else 0
        return command(money, instrument=currency, amount=r.choice([1, 10**5, 10**8, 10**9]), **common)

    def _operate(self, kernel, kind: str, account: int, instrument: int) -> bytes:
        """What families and operators do."""
        r = self.random
        if kind == "transfer":
            receiver = 16 + (account - 16 + r.randrange(self.accounts)) % self.accounts
            amount = r.choice([1, 10**5, 10**8])
            terms = {"account": account, "order_id": receiver, "amount": amount, "instrument": r.choice([0, 0, 1])}
            return command(CommandType.TRANSFER, time_ns=self.time_ns, **terms)
        if kind == "halt":
            mode, terms = r.choice([0, 0, 1, 1, 2]), {"time_ns": self.time_ns, "instrument": instrument}
            if mode == 1 and r.random() < 0.8:  # prices that reach triggers meanwhile, and the end of it
                prices = [self._price(kernel, instrument, r.choice([CommandType.MARK, CommandType.INDEX])) for _ in range(3)]
                self.pending += [command(CommandType.HALT, **terms), *prices]
            return command(CommandType.HALT, mode=mode, **terms)
        if kind == "settle":
            price = r.choice([0, kernel.mark_ticks(instrument) * r.choice([9, 10, 11]) // 10])
            return command(CommandType.SETTLE, time_ns=self.time_ns, instrument=instrument, price_ticks=price)
        name = r.choice([f"N{len(self.instruments)}", "I0"])
        linear = "linear" if self.decimals == 6 else "inverse"
        self.candidate = self._instrument(name, self.settle[0], linear)
        data = to_records(name, self.candidate.spec, r.choice([0, 0, 0, 9]))
        return command(CommandType.ADD_INSTRUMENT, time_ns=self.time_ns, records=1 + len(data) // 64) + data

    def added(self) -> None:
        """The last ADD_INSTRUMENT was accepted; its first price comes next."""
        self.pending += self._first_prices(len(self.instruments), self.candidate)
        self.instruments.append(self.candidate)

    def _price(self, kernel, instrument: int, kind: CommandType) -> bytes:
        """Where a model makes the mark, mostly what it is made of."""
        if self.instruments[instrument].prices and self.random.random() < 0.9:
            return self._source(kernel, instrument)
        return self._mark(kernel, instrument, kind)

    def _mark(self, kernel, instrument: int, kind: CommandType) -> bytes:
        r = self.random
        mark = kernel.mark_ticks(instrument) or int(50_000 / self.instruments[instrument].tick_size)
        home = int(50_000 / self.instruments[instrument].tick_size)
        span = mark * self.volatility // 10_000 + 1
        if r.random() < self.gap:
            span = mark * r.choice([5, 15, 30]) // 100
        price = mark + r.randint(-span, span) + (home - mark) // 64
        highest = self.instruments[instrument].spec.max_price_ticks
        return command(kind, time_ns=self.time_ns, instrument=instrument, price_ticks=max(1, min(highest, price)))

    def _source(self, kernel, instrument: int) -> bytes:
        """A constituent's price, or a model's index; sometimes one that is far off."""
        r = self.random
        index = self.instruments[instrument].prices.index
        kind = CommandType.SOURCE if index else CommandType.INDEX
        record = bytearray(self._mark(kernel, instrument, kind))
        if index:
            number = r.randrange(len(index.sources) + len(index.external))
            record[48:56] = number.to_bytes(8, "little")
        record[56:64] = r.choice([0, 0, 1, -499_999, 123_456]).to_bytes(8, "little", signed=True)
        return bytes(record)

    def _pair(self, kernel, account: int, instrument: int) -> bytes:
        """An order now and its counterpart from somebody else next."""
        r = self.random
        mark = kernel.mark_ticks(instrument) or int(50_000 / self.instruments[instrument].tick_size)
        terms = {
            "time_ns": self.time_ns, "instrument": instrument, "size_lots": r.choice([1, 2, 3, 5, 9, 14, 25]),
            "price_ticks": mark + r.randint(-mark // 500, mark // 500),
        }  # fmt: skip
        side = r.choice([Side.BUY, Side.SELL])
        other = 16 + (account - 16 + r.randrange(1, self.accounts)) % self.accounts
        self.pending.append(self._legged(kernel, account=other, side=1 - side, tif=Tif.IOC, **terms))
        return self._legged(kernel, account=account, side=side, tif=Tif.GTC, **terms)

    def _legged(self, kernel, **terms: int) -> bytes:
        """A plain order; of a hedged position, one that opens or closes a leg."""
        rows = kernel.positions(terms["account"])
        if not any(row[0] == terms["instrument"] and row[10] for row in rows):
            return command(CommandType.ORDER, **terms)
        opens = 1 if terms["side"] == Side.BUY else 2
        leg = opens if self.random.random() < 0.7 else 3 - opens
        return command(CommandType.ORDER, records=2, **terms) + extension(hedge_side=leg)

    def _order(self, kernel, account: int, instrument: int) -> bytes:
        r = self.random
        side = r.choice([Side.BUY, Side.SELL])
        rows = [row for row in kernel.positions(account) if row[0] == instrument]
        leg = r.choice([1, 2]) if any(row[10] for row in rows) and r.random() < 0.95 else 0
        held = sum(row[2] for row in rows if row[1] == leg)
        if leg and r.random() < 0.6:
            side = Side.BUY if leg == 1 else Side.SELL  # which opens it
        mark = kernel.mark_ticks(instrument) or int(50_000 / self.instruments[instrument].tick_size)
        away = int(r.expovariate(1) * mark * self.liquid / 150)
        if r.random() < self.crossing:
            away = -away
        price = mark - away if side == Side.BUY else mark + away
        flags, tif = 0, r.choices([Tif.GTC, Tif.IOC, Tif.FOK], [80, 13, 7])[0]
        if r.random() < 0.12:
            flags |= Flag.REDUCE_ONLY
            side = Side.SELL if held > 0 else Side.BUY
        if r.random() < 0.08 and tif == Tif.GTC:
            flags |= Flag.POST_ONLY
        if r.random() < 0.1:
            flags, tif = (flags | Flag.MARKET) & ~Flag.POST_ONLY, tif or Tif.IOC
            price = 0 if r.random() < 0.7 else price
        top = self.instruments[instrument].spec.max_size_lots
        size = r.choice([1, 2, 3, 5, 9, abs(held) or 1, abs(held) + 2, r.randint(1, top)])
        client_id = 0
        if r.random() < 0.2:
            fresh = r.random() < 0.8 or not self.client_ids
            client_id = r.randrange(1, 2**40) if fresh else r.choice(self.client_ids)
            self.client_ids = [*self.client_ids[-20:], client_id]
        terms = {
            "account": account, "instrument": instrument, "side": side, "tif": tif, "flags": flags, "price_ticks": price,
            "size_lots": size, "client_id": client_id,
        }  # fmt: skip
        if r.random() < self.mingled:
            terms |= {"mode": r.choice(list(SelfTrade)), "amount": r.choice([0, 0, 5, 6])}
        if flags & Flag.POST_ONLY and r.random() < 0.5:
            terms["flags"] |= Flag.SLIDE
        if flags & Flag.REDUCE_ONLY and r.random() < 0.3:
            terms |= {"flags": terms["flags"] | Flag.CLOSE_POSITION, "size_lots": 0}
        second = self._second(mark, terms, leg) if leg or r.random() < self.extended else b""
        if client_id and self.wide and self.more.random() < 0.7:  # a text stands for the number; sometimes a wrong one
            text = f"id:{client_id % 40}".encode()
            terms["client_id"] = client_number(text) + (self.more.random() < 0.05)
            second = (second or extension()) + text.ljust(64, b"\0")
        if self.wide:
            second = wide.tagged(self, terms, second)
        records = 1 + len(second) // 64
        return command(CommandType.ORDER, time_ns=self.time_ns, records=records, **terms) + second

    def _guard(self, kernel, account: int, instrument: int) -> bytes:
        """What a bot puts around its position: a target that rests, stops of a size or for all there is, perhaps a trade with
        itself. While flat stops alone, for the first position that they could close."""
        r = self.random
        rows = [row for row in kernel.positions(account) if row[0] == instrument]
        leg, held = r.choice([(row[1], row[2]) for row in rows if row[2]] or [(0, 0)])
        if not held and any(row[10] for row in rows):
            leg = r.choice([1, 2])
        sign = r.choice([-1, 1]) if not held else 1 if held > 0 else -1
        mark = kernel.mark_ticks(instrument) or int(50_000 / self.instruments[instrument].tick_size)
        common = {"time_ns": self.time_ns, "account": account, "instrument": instrument}

        def away() -> int:
            return 1 + int(r.expovariate(1) * mark * self.volatility / 10_000)

        def placed(side: int, second: dict[str, int], **terms: int) -> bytes:
            return command(CommandType.ORDER, records=2, side=side, **common, **terms) + extension(hedge_side=leg, **second)

        def stop() -> bytes:
            trigger, closes = mark - sign * away(), r.random() < 0.6
            flags = Flag.REDUCE_ONLY | (Flag.CLOSE_POSITION if closes else 0)
            limit = r.random() < 0.4
            terms = {
                "price_ticks": max(1, self._near_band(trigger)) if limit else 0,
                "size_lots": 0 if closes else abs(held) or 1,
            }
            terms |= {"flags": flags} if limit else {"flags": flags | Flag.MARKET, "tif": Tif.IOC}
            watched = {
                "trigger_source": r.choice(PLAIN_SOURCES),
                "trigger_kind": r.choice([TriggerKind.STOP, TriggerKind.TAKE_PROFIT]),
            }
            return placed(closing, {"trigger_ticks": max(1, trigger)} | watched, **terms)

        closing = Side.SELL if sign > 0 else Side.BUY
        self.pending += [stop() for _ in range(r.choice([0, 1, 1, 2]))]
        target = max(1, mark + sign * away())
        if held and r.random() < 0.3:
            terms = {"size_lots": r.choice([1, abs(held)]), "tif": r.choice([Tif.IOC, Tif.FOK]), "mode": SelfTrade.ALLOW}
            self.pending.append(placed(1 - closing, {}, price_ticks=target, **terms))
        if not held:
            return self.pending.pop() if self.pending else stop()
        lots, flags = abs(held) + r.choice([-1, 0, 0, 3]), r.choice([0, Flag.REDUCE_ONLY, Flag.REDUCE_ONLY])
        return placed(closing, {}, price_ticks=target, size_lots=max(1, lots), flags=flags)

    def _near_band(self, trigger: int) -> int:
        """A limit close to a trigger, or to the edge of the band around it."""
        r = self.random
        return trigger + r.choice([0, 0, -trigger // 20, trigger // 20]) + r.randint(-2, 2)

    def _second(self, mark: int, terms: dict[str, int], leg: int) -> bytes:
        """A trigger near the mark, an expiry not far off, a slippage; sometimes together. Of a hedge, its leg."""
        r = self.random
        fields: dict[str, int] = {"hedge_side": leg}
        if r.random() >= self.extended:
            return extension(**fields)
        if terms["tif"] == Tif.GTC and r.random() < 0.5:
            terms["tif"] = Tif.GTD
            fields["expiry_ns"] = self.time_ns + r.choice([1, 10**3, 10**9])
        if terms["flags"] & Flag.MARKET and not terms["price_ticks"] and r.random() < 0.5:
            fields["slippage_ppb"] = r.choice([1, 10**6, 10**7, 10**8])
        if r.random() < 0.7:
            kind = r.choice(list(TriggerKind)[1:])
            fields |= {"trigger_kind": kind, "trigger_source": r.choice(PLAIN_SOURCES)}
            span = mark * self.volatility // 5_000 + 2
            if kind <= TriggerKind.TAKE_PROFIT:
                fields |= {"trigger_ticks": max(1, mark + r.randint(-span, span)), "trigger_flags": r.random() < 0.1}
                if not terms["flags"] & Flag.MARKET and r.random() < 0.2:
                    terms["price_ticks"] = max(1, self._near_band(fields["trigger_ticks"]))
            else:
                fields["trail"] = r.randint(1, span if kind == TriggerKind.TRAIL_TICKS else self.volatility * 10**5)
        return extension(**fields)

    def _change(self, kernel, kind: str, account: int) -> bytes:
        r = self.random
        rows = kernel.orders_of(account)
        if not rows:
            return command(CommandType.CANCEL, time_ns=self.time_ns, account=account, order_id=r.randrange(2**30))
        row = r.choice(rows)
        named = {"order_id": row[0]} if not row[7] or r.random() < 0.6 else {"client_id": row[7]}
        if kind == "cancel":
            return command(CommandType.CANCEL, time_ns=self.time_ns, account=account, **named)
        size = r.choice([0, row[6], row[6] + 1, max(1, row[6] - 1), r.randint(1, row[6] + 3)])
        price = r.choice([0, row[4], row[4] + r.randint(-200, 200)])
        return command(
            CommandType.AMEND, time_ns=self.time_ns, account=account, size_lots=size, price_ticks=max(0, price), **named
        )
