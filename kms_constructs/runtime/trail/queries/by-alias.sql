-- title: Calls by alias
-- answers: Through which aliases keys are called on, and which keys stood behind them.
-- column alias: The alias that the calls named.
-- column key: ARN of the key behind it; of the alias, where the trail tells no key.
-- column calls: How many calls named the alias.
-- column errors: How many of them failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  alias,
  key,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from call_keys
where alias is not null
group by alias, key
order by calls desc, alias, key
