"""Every column name of the data contract, once.

The text protos beside this file say the same to tools that read schemas; a
test compares the two.
"""

from __future__ import annotations

USER_ID = "user_id"
ITEM_ID = "item_id"
TIMESTAMP = "timestamp"  # unix seconds
EVENT_TYPE = "event_type"
SCENARIO = "scenario"
RATING = "rating"
TEXT = "text"  # comment or query of an event
POSITION = "position"  # breaks ties of timestamp within a user
SPLIT = "split"

TITLE = "title"
DESCRIPTION = "description"
KEYWORDS = "keywords"
CATEGORIES = "categories"  # "a > b > c", several paths joined by " | "
BRAND = "brand"
PRICE = "price"
AVAILABLE_FROM = "available_from"  # unix seconds

PROFILE = "profile"
CONSENT = "consent"

EVENTS, ITEMS, USERS, SCENARIOS = "events", "items", "users", "scenarios"

# Table -> its columns. Users may bring any others too: they describe the user.
COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (
        USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, SCENARIO, RATING, TEXT,
        POSITION, SPLIT,
    ),
    ITEMS: (
        ITEM_ID, TITLE, DESCRIPTION, KEYWORDS, CATEGORIES, BRAND, PRICE,
        AVAILABLE_FROM,
    ),
    USERS: (USER_ID, PROFILE, CONSENT),
    SCENARIOS: (SCENARIO, DESCRIPTION),
}
REQUIRED_COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (USER_ID, ITEM_ID, TIMESTAMP),
    ITEMS: (ITEM_ID,),
    USERS: (USER_ID,),
    SCENARIOS: (SCENARIO,),
}
REQUIRED_TABLES = (EVENTS, ITEMS)
# Items need at least one of these.
CONTENT_COLUMNS = (TITLE, DESCRIPTION, KEYWORDS)
# What the text of an item can be made of.
ITEM_TEXT_COLUMNS = (TITLE, DESCRIPTION, KEYWORDS, CATEGORIES, BRAND)

# Event type -> how much it says about interest, in [0, 1]: the label of the
# ranking head where there are no ratings. Weakest first.
EVENT_STRENGTHS: dict[str, float] = {
    "view": 0.1,
    "search": 0.2,
    "click": 0.3,
    "like": 0.5,
    "comment": 0.5,
    "favourite": 0.6,
    "share": 0.6,
    "cart": 0.8,
    "purchase": 1.0,
}
EVENT_TYPES: tuple[str, ...] = tuple(EVENT_STRENGTHS)
DEFAULT_EVENT_TYPE = "click"

SPLITS = ("train", "validation", "test")
# Other spellings of a split -> its name.
SPLIT_ALIASES = dict.fromkeys(("valid", "val", "dev"), "validation")

CATEGORY_LEVEL_SEPARATOR = ">"
CATEGORY_PATH_SEPARATOR = "|"
