-- title: First and last use of each key
-- answers: When each key was first and last used: by cryptographic operations that succeeded, and by nothing else.
-- column key: ARN of the key.
-- column first_use: The first of the uses within the dates asked, UTC.
-- column last_use: The last of them, UTC.
-- column uses: How many there are.
-- column principals: By how many principals.
select
  key,
  min(event_time) as first_use,
  max(event_time) as last_use,
  count(*) as uses,
  count(distinct principal) as principals
from call_keys
where is_cryptographic and error_code is null
group by key
order by last_use desc, key
