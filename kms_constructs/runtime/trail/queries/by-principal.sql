-- title: Calls by principal
-- answers: Who calls: roles and users with all their sessions, services on their own behalf, other accounts of whom the trail tells no more.
-- column principal: ARN of the role or user; otherwise the service, or the account.
-- column caller_type: `AssumedRole`, `IAMUser`, `Root`, `AWSService`, `AWSAccount` and so on.
-- column caller_account: Account of the caller; empty where the trail does not tell it.
-- column calls: How often it called.
-- column errors: How many of the calls failed.
-- column operations: How many different operations it called.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  principal,
  caller_type,
  caller_account,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct event_name) as operations,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
group by principal, caller_type, caller_account
order by calls desc, principal, caller_type, caller_account
