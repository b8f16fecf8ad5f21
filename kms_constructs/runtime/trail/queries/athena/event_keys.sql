-- title: Keys that the events of a trail's own files name
-- answers: The rows of KeyRow, of a table over the files that CloudTrail delivers.
select
  event_id,
  event_time,
  key,
  alias,
  use,
  cast(event_time as date) as event_date
from (
  select
    *,
    row_number() over (partition by event_id, key order by pos) as nth_of_key
  from (
    select
      event_id,
      event_time,
      pos,
      alias,
      use,
      case
        when alias is not null and listed_first = listed_last then listed_first
        when name like 'arn:%' then name
        when alias is null and among_listed is not null then among_listed
        else concat(
          'arn:',
          partition_of(region),
          ':kms:',
          coalesce(region, ''),
          ':',
          coalesce(account, ''),
          ':',
          case when alias is null then concat('key/', name) else name end
        )
      end as key,
      row_number() over (partition by event_id order by pos) as nth
    from (
      select
        eventid as event_id,
        strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') as event_time,
        nullif(awsregion, '') as region,
        coalesce(nullif(useridentity.accountid, ''), nullif(recipientaccountid, '')) as account,
        named.pos as pos,
        named.name as name,
        case named.pos
          when 2 then 'source'
          when 3 then 'destination'
          when 5 then 'object'
          when 6 then 'object'
          when 8 then 'object'
          else case when named.pos > 8 then 'resource' else 'key' end
        end as use,
        case
          when named.name like 'alias/%' or named.name like '%:alias/%'
          then substr(named.name, strpos(named.name, 'alias/'))
        end as alias,
        list_min(
          list_filter(list_transform(resources, x -> x.arn), x -> x like '%:kms:%' and x like '%:key/%')
        ) as listed_first,
        list_max(
          list_filter(list_transform(resources, x -> x.arn), x -> x like '%:kms:%' and x like '%:key/%')
        ) as listed_last,
        first_of(
          list_filter(
            list_transform(resources, x -> x.arn),
            x -> x like '%:kms:%' and x like '%:key/%' and strpos(concat(x, '|'), concat('/', named.name, '|')) > 0
          )
        ) as among_listed
      from records
      cross join unnest(
        list_concat(
          [
            json_extract_string(requestparameters, '$.keyId'),
            json_extract_string(requestparameters, '$.sourceKeyId'),
            json_extract_string(requestparameters, '$.destinationKeyId'),
            json_extract_string(requestparameters, '$.targetKeyId'),
            json_extract_string(requestparameters, '$."x-amz-server-side-encryption-aws-kms-key-id"'),
            json_extract_string(responseelements, '$."x-amz-server-side-encryption-aws-kms-key-id"'),
            json_extract_string(serviceeventdetails, '$.keyId'),
            json_extract_string(serviceeventdetails, '$."x-amz-server-side-encryption-aws-kms-key-id"')
          ],
          coalesce(list_transform(resources, x -> x.arn), [])
        )
      ) with ordinality as named (name, pos)
      where
        day between $first_folder and $last_folder
        and eventid <> ''
        and eventtime <> ''
        and eventname <> ''
        and eventsource <> ''
        and named.name <> ''
        and (
          named.pos < 9
          or (named.name like '%:kms:%' and (named.name like '%:key/%' or named.name like '%:alias/%'))
        )
    ) as named
  ) as resolved
  -- An alias among the resources stands beside what was named before it.
  where not (use = 'resource' and alias is not null and nth > 1)
) as kept
where nth_of_key = 1
