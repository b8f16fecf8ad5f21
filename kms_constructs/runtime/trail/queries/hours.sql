-- title: Calls on each key, by hour of the week
-- answers: At which hours of the week each key is used.
-- column key: ARN of the key.
-- column weekday: 0 for Monday to 6 for Sunday, UTC.
-- column hour: 0 to 23, UTC.
-- column calls: How many calls named the key in that hour, of all weeks together.
select
  key,
  -- The first of January 2001 was a Monday, and no trail is older.
  date_diff('day', date '2001-01-01', event_date) % 7 as weekday,
  extract(hour from event_time) as hour,
  count(*) as calls
from call_keys
group by key, date_diff('day', date '2001-01-01', event_date) % 7, extract(hour from event_time)
order by key, weekday, hour
