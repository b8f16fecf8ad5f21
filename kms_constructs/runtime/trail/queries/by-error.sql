-- title: Calls that failed, by error
-- answers: Which calls are refused or fail, and for whom.
-- column error_code: `AccessDenied`, `DisabledException` and so on.
-- column event_name: The operation.
-- column principal: Who called, as in the report by principal.
-- column calls: How often it failed.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  error_code,
  event_name,
  principal,
  count(*) as calls,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
where error_code is not null
group by error_code, event_name, principal
order by calls desc, error_code, event_name, principal
