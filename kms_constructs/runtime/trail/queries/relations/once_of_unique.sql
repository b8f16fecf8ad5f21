-- title: One record a call, of records delivered once
-- answers: As once.sql where every record is there once: the few that share a call are looked at apart, which takes two readings and a tenth of the time.
select
  *,
  1 as nth
from events
where event_date between $since and $until and shared_event_id is null
union all
select *
from (
  select
    *,
    row_number() over (
      partition by shared_event_id
      order by
        case when caller is null then 1 else 0 end,
        case when encryption_context is null then 1 else 0 end,
        event_id
    ) as nth
  from events
  where event_date between $since and $until and shared_event_id is not null
) as numbered
where nth = 1
