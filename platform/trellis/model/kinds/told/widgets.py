"""What keys mean in dashboards and their widgets."""

from __future__ import annotations

from trellis.model.kinds.told.sentence import Given

TOLD: dict[str, Given] = {
    "dashboard.roles": ("whose home it can be, and who sees it", "everybody", "roles: [sales-rep]"),
    "dashboard.filters": (
        "what a reader narrows the whole page by",
        "none",
        "filters: {period: {type: date_range, default: this_quarter}}",
    ),
    "filters.*.type": ("what is chosen: user, team, date_range, choice, link or boolean", "", "type: user"),
    "filters.*.default": ("what is chosen at first", "nothing", "default: this_quarter"),
    "filters.*.choices": "for a choice: its values, or the key of a shared list",
    "filters.*.to": "for a link: the entity",
    "filters.*.field": (
        "which field it narrows by, for all reports or by entity",
        "the field of the same name",
        "field: {deal: owner, ticket: agent}",
    ),
    "dashboard.widgets": (
        "what stands on the page, by key",
        "",
        "widgets: {won: {number: won-deals, at: [0, 0, 3, 2]}}",
    ),
    "dashboard.refresh": ("how often it looks for new numbers by itself", "when it is opened", "refresh: 5 minutes"),
    "dashboard.mail": (
        "sent as a letter at times",
        "not sent",
        'mail: {cron: "0 7 * * mon", to: {role: sales-manager}}',
    ),
    "number.number": "the report whose total is shown",
    "chart.chart": "the report whose chart is shown",
    "table.table": "the report whose table is shown",
    "funnel.funnel": "the report, of the type funnel",
    "gauge.gauge": "the report, of the type target or beside `target:`",
    "leaders.leaders": "the report whose groups are ranked",
    "list.list": "the entity and one of its views",
    "calendar.calendar": "the entity and one of its calendars",
    "feed.feed": "the entities whose newest records are told",
    "work.work": "what waits for the reader: today, coming or recent",
    "text.text": "the text, in Markdown",
    "page.page": "the address of the page, which must allow to be shown in a frame",
    "note": ("a sentence below the heading", "none"),
    "at": (
        "its place: from the left, from the top, width, height, of 12 columns",
        "where there is room",
        "at: [0, 0, 3, 2]",
    ),
    "number.filter chart.filter table.filter funnel.filter gauge.filter leaders.filter list.filter calendar.filter": (
        "narrows it further",
        "as the report or view says",
        "filter: owner == me",
    ),
    "filters": (
        "which of the page's filters it takes",
        "all that it can",
        "filters: [period]",
    ),
    "params": (
        "values of the report's params",
        "their defaults",
        'params: {from: =start_of(today(), "year")}',
    ),
    "number.measure gauge.measure leaders.measure": ("which of the report's measures", "the first"),
    "number.also": ("a second measure, small beside it", "none"),
    "number.period gauge.period": ("the time that it is about", "the page's", "period: this_month"),
    "number.compare": ("with which earlier time it is compared", "none", "compare: previous_period"),
    "number.better leaders.better": ("whether more or less is good", "more"),
    "number.spark": ("how it has gone, as a small line", "none", "spark: week"),
    "widgets.*.chart.type": ("drawn otherwise than the report says", "as the report says"),
    "chart.sort table.sort list.sort": ("in another order", "as the report or view says"),
    "table.columns list.columns": ("only these columns", "those of the report or view"),
    "gauge.target": ("how much is wanted, where the report does not say", "the report's"),
    "calendar.days": ("how many days ahead", "14", "days: 7"),
}
