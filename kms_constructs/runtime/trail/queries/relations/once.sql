-- title: One record a call, in one reading
-- answers: Of the records of one call, by whatever account and however often delivered, the one that knows the caller if any does.
select *
from (
  select
    *,
    row_number() over (
      partition by coalesce(shared_event_id, event_id)
      order by
        case when caller is null then 1 else 0 end,
        case when encryption_context is null then 1 else 0 end,
        event_id
    ) as nth
  from events
  where event_date between $since and $until
) as numbered
where nth = 1
