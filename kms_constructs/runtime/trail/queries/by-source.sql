-- title: Calls by source
-- answers: From which addresses and through which VPC endpoints calls come.
-- column source_address: IP address, or the name of a service.
-- column vpc_endpoint: Id of the VPC endpoint; empty where the call went through none.
-- column calls: How many calls came from there.
-- column errors: How many of them failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  source_address,
  vpc_endpoint,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
group by source_address, vpc_endpoint
order by calls desc, source_address, vpc_endpoint
