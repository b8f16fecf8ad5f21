-- title: Calls
-- answers: One row a call, with what reports group by said of every one.
select
  event_id,
  event_time,
  event_date,
  event_source,
  event_name,
  account,
  region,
  coalesce(
    caller,
    case when caller_type = 'AWSAccount' then caller_account end,
    service,
    caller_account,
    principal_id,
    'unknown'
  ) as principal,
  coalesce(caller_type, 'unknown') as caller_type,
  coalesce(caller_account, '') as caller_account,
  coalesce(service, 'called directly') as service,
  coalesce(source_address, 'unknown') as source_address,
  coalesce(user_agent, 'unknown') as user_agent,
  coalesce(vpc_endpoint, '') as vpc_endpoint,
  error_code,
  encryption_context,
  destination_encryption_context,
  event_source = 'kms.amazonaws.com' and event_name in ($cryptographic) as is_cryptographic
from once
