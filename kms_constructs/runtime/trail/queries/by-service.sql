-- title: Calls by service
-- answers: Which AWS services call, for somebody or on their own behalf.
-- column service: The service: `s3.amazonaws.com`, `AWS Internal`; `called directly` where none stands between.
-- column calls: How often it called.
-- column errors: How many of the calls failed.
-- column operations: How many different operations it called.
-- column principals: For how many principals, itself included.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  service,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct event_name) as operations,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
group by service
order by calls desc, service
