-- title: Calls by user agent
-- answers: With which programs calls are made, as the callers tell it: anyone may tell anything.
-- column user_agent: As told.
-- column calls: How many calls told it.
-- column errors: How many of them failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  user_agent,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
group by user_agent
order by calls desc, user_agent
