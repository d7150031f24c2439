"""Error codes of OKX V5, and which of them says what a Code of the exchange says.

Owns the numbers and their texts. A code is an answer to a request, or to one item of it; bots branch on it.
"""

from solvent.schema.codes import HINTS, Code, SolventError

__all__ = ["AMEND", "CANCEL", "LEVERAGE", "MARGIN", "MESSAGES", "PLACE", "STATUS", "Refusal", "said"]

MESSAGES: dict[str, str] = {
    "0": "", "1": "All operations failed", "2": "Bulk operation partially succeeded.",
    "50000": "Body for POST request cannot be empty.", "50001": "Service temporarily unavailable. Try again later.",
    "50002": "JSON syntax error", "50011": "Rate limit reached. Please refer to API documentation and throttle requests",
    "50014": "Parameter {} cannot be empty.", "50026": "System error. Try again later",
    "50102": "Timestamp request expired", "50103": 'Request header "OK-ACCESS-KEY" cannot be empty.',
    "50104": 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty.',
    "50105": 'Request header "OK-ACCESS-PASSPHRASE" incorrect.',
    "50106": 'Request header "OK-ACCESS-SIGN" cannot be empty.',
    "50107": 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty.', "50111": "Invalid OK-ACCESS-KEY",
    "50112": "Invalid OK-ACCESS-TIMESTAMP", "50113": "Invalid Sign", "50015": "Either parameter {} is required",
    "51000": "Parameter {} error", "51001": "Instrument ID, Instrument ID code, or Spread ID doesn't exist.",
    "51002": "Instrument ID doesn't match underlying index.", "51004": "Order amount exceeds current tier limit.",
    "51006": "Order price is not within the price limit.", "51008": "Order failed. Insufficient account balance.",
    "51010": "You can't complete this request under your current account mode.", "51016": "Client order ID already exists.",
    "51020": "The order amount should be greater than the min. available amount.",
    "51022": "Contract suspended.", "51023": "Position doesn't exist.",
    "51024": "Unified account blocked.", "51025": "Order count exceeds the limit.",
    "51046": "The take profit (TP) price should be higher than the order price",
    "51047": "The stop loss (SL) price should be lower than the order price",
    "51048": "The take profit (TP) price should be lower than the order price",
    "51049": "The stop loss (SL) price should be higher than the order price",
    "51050": "The take profit (TP) price should be higher than the best ask price",
    "51051": "The stop loss (SL) price should be lower than the best ask price",
    "51052": "The take profit (TP) price should be lower than the best bid price",
    "51053": "The stop loss (SL) price should be higher than the best bid price",
    "51068": "{} already exists within algoClOrdId and attachAlgoClOrdId.",
    "51071": "Tag level timers reach the maximum number of 20.",
    "51120": "Order amount is less than {}", "51121": "Order quantity must be a multiple of the lot size.",
    "51124": "You can only place limit orders after call auction has started.",
    "51131": "Insufficient balance.",
    "51169": "Order failed because you don't have any positions in this direction to reduce or close.",
    "51202": "The order amount exceeds the maximum order amount for market orders.",
    "51277": "TP trigger price cannot be higher than the last price.",
    "51278": "SL trigger price cannot be lower than the last price.",
    "51279": "TP trigger price cannot be lower than the last price.",
    "51280": "SL trigger price cannot be higher than the last price.",
    "51290": "The engine is currently being upgraded. Try again later.",
    "51400": "Cancellation failed as the order has been filled, canceled or does not exist.",
    "51401": "Cancellation failed as the order is already canceled.",
    "51402": "Cancellation failed as the order is already completed.",
    "51503": "Order modification failed as the order has been filled, canceled or does not exist.",
    "51506": "Order modification unsupported for this type of order.",
    "51508": "Order modification failed: the new size is not above what is filled.",
    "51527": "Order modification failed: nothing would change.", "51603": "Order does not exist",
    "59000": "Settings failed. Close any open positions and cancel open orders first.",
    "59101": "Leverage can't be modified. Please cancel all orders or close positions first.",
    "59102": "Leverage exceeds the maximum limit. Please lower the leverage.",
    "59103": "Margin is insufficient and leverage is too low. Please increase the leverage.",
    "59108": "Your account leverage is too low and has insufficient margin. Please increase the leverage.",
    "59200": "Insufficient account balance.", "59201": "Negative account balance.",
    "59300": "Margin call failed. Position does not exist.",
    "59301": "Margin adjustment failed for exceeding the max limit.",
    "60004": "Invalid timestamp", "60005": "Invalid apiKey", "60006": "Timestamp request expired", "60007": "Invalid sign",
    "60009": "Login failed.", "60011": "Please log in", "60012": "Invalid request", "60013": "Invalid args",
    "60018": "Wrong URL or {} doesn't exist. Please use the correct URL, channel and parameters referring to API document.",
    "60024": "Wrong passphrase",
}  # fmt: skip
STATUS: dict[str, int] = {
    "50000": 400, "50001": 503, "50002": 400, "50011": 429, "50014": 400, "50015": 400, "50026": 500, "50102": 401,
    "50103": 401,
    "50104": 401, "50105": 401, "50106": 401, "50107": 401, "50111": 401, "50112": 401, "50113": 401,
}  # fmt: skip
"""The HTTP status of an answer whose code is none of an order; 200 for the rest."""

PLACE: dict[Code, str] = {
    Code.UNKNOWN_INSTRUMENT: "51001", Code.UNKNOWN_ACCOUNT: "50111", Code.BAD_SIZE: "51121", Code.BAD_PRICE: "51000",
    Code.SIZE_OUT_OF_BOUNDS: "51020", Code.NOTIONAL_TOO_SMALL: "51020", Code.DUPLICATE_CLIENT_ID: "51016",
    Code.PRICE_BAND: "51006", Code.INSUFFICIENT_MARGIN: "51008", Code.INSUFFICIENT_BALANCE: "51008",
    Code.LEVERAGE_ABOVE_TIER: "51004", Code.POSITION_LIMIT: "51004", Code.REDUCE_ONLY_WOULD_OPEN: "51169",
    Code.TOO_MANY_ORDERS: "51025", Code.TOO_MANY_OPEN_ORDERS: "51025", Code.TOO_MANY_MESSAGES: "50011",
    Code.NOT_TRADING: "51022", Code.NOT_IN_THIS_STATE: "51022", Code.NO_MARK: "51022", Code.NO_REFERENCE: "51022",
    Code.MODE_IN_USE: "51010",
}  # fmt: skip
CANCEL: dict[Code, str] = {Code.UNKNOWN_ORDER: "51400"}
AMEND: dict[Code, str] = PLACE | {
    Code.UNKNOWN_ORDER: "51503", Code.AMEND_NOTHING: "51527", Code.AMEND_BELOW_FILLED: "51508",
}  # fmt: skip
LEVERAGE: dict[Code, str] = {
    Code.UNKNOWN_INSTRUMENT: "51001", Code.MODE_IN_USE: "59101", Code.LEVERAGE_ABOVE_TIER: "59102",
    Code.INSUFFICIENT_MARGIN: "59103", Code.INSUFFICIENT_BALANCE: "59103", Code.POSITION_LIMIT: "59102",
}  # fmt: skip
MARGIN: dict[Code, str] = {
    Code.UNKNOWN_INSTRUMENT: "51001", Code.NO_ISOLATED_POSITION: "59300", Code.BELOW_INITIAL_MARGIN: "59301",
    Code.INSUFFICIENT_BALANCE: "59200", Code.INSUFFICIENT_MARGIN: "59200",
}  # fmt: skip
_WHAT: dict[Code, str] = {
    Code.BAD_SIZE: "sz", Code.BAD_PRICE: "px", Code.BAD_SIDE: "side", Code.BAD_TIF: "ordType", Code.BAD_FLAGS: "ordType",
    Code.BAD_CLIENT_ID: "clOrdId", Code.BAD_TRIGGER: "triggerPx", Code.BAD_EXPIRY: "expTime", Code.BAD_LEG: "posSide",
    Code.BAD_LEVERAGE: "lever", Code.BAD_AMOUNT: "amt", Code.BAD_MODE: "mgnMode", Code.BAD_SELF_TRADE: "stpMode",
}  # fmt: skip


class Refusal(SolventError):
    """Ends a request, or one item of it, with a code of the venue. what: the parameter that a text names."""

    def __init__(self, code: str, what: str = "", message: str = ""):
        self.code = code
        self.message = message or MESSAGES.get(code, f"Code {code}").replace("{}", what).replace("  ", " ")
        super().__init__(f"{code}: {self.message}")


def said(code: Code, table: dict[Code, str]) -> Refusal:
    """Returns how the venue says a refusal of the exchange: by the table of what was asked, else as a wrong parameter."""
    if code in table:
        found = table[code]
        if found == "51000":
            return Refusal(found, _WHAT[code])
        return Refusal(found)
    if code in _WHAT:
        return Refusal("51000", _WHAT[code])
    return Refusal("51000", message=f"{code.name}: {HINTS[code]}")
