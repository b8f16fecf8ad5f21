-- title: Calls and keys
-- answers: One row a call and key that it names.
select
  calls.event_time,
  calls.event_date,
  calls.principal,
  calls.error_code,
  calls.is_cryptographic,
  named.key,
  named.alias,
  case
    when named.use = 'destination' then calls.destination_encryption_context
    else calls.encryption_context
  end as encryption_context
from calls
inner join event_keys as named on named.event_id = calls.event_id
where named.event_date between $since and $until
