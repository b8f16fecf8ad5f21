-- title: Keys that the events of a trail's own files name
-- answers: The rows of KeyRow, of a table over the files that CloudTrail delivers: first the names that a request asks for, by their places 1 to 10, then the ARNs that the record tells beside it.
select
  event_id,
  event_time,
  key,
  alias,
  case
    when pos > 10 and event_name = 'ReEncrypt' and source_key is null and nth_told = 1 then 'source'
    else use
  end as use,
  cast(event_time as date) as event_date
from (
  select
    *,
    row_number() over (partition by event_id, case when pos > 10 then 1 else 0 end order by pos) as nth_told
  from (
    select
      event_id,
      event_time,
      event_name,
      source_key,
      key,
      pos,
      use,
      first_value(alias) over (
        partition by event_id, key
        order by case when alias is null then 1 else 0 end, pos
      ) as alias,
      row_number() over (partition by event_id, key order by pos) as nth_of_key
    from (
      select
        event_id,
        event_time,
        event_name,
        source_key,
        pos,
        case when pos < 11 then coalesce(own_alias, moved_alias) end as alias,
        case
          when pos = 2 then 'source'
          when pos = 3 then 'destination'
          when pos in (8, 9, 10) then 'object'
          when pos < 8 then 'key'
          when name = replica then 'replica'
          when name = trail_key then 'key'
          when name = object_key then 'object'
          else 'resource'
        end as use,
        case
          when pos > 10 then name
          when own_alias is not null and count_of(unnamed) = 1 and aliases = 1 then first_of(unnamed)
          when own_alias is not null and count_of(unnamed) = 2 and pos = 2 then first_of(unnamed)
          when own_alias is not null and count_of(unnamed) = 2 and pos = 3 then second_of(unnamed)
          when own_alias is not null and count_of(unnamed) = 0 and count_of(told) = 1 then first_of(told)
          when name like 'arn:%' then name
          when own_alias is null and first_of(ending) is not null then first_of(ending)
          else concat(
            'arn:',
            partition_of(region),
            ':kms:',
            coalesce(region, ''),
            ':',
            coalesce(account, ''),
            ':',
            case when own_alias is null then concat('key/', name) else name end
          )
        end as key
      from (
        select
          whole.*,
          named.pos as pos,
          named.name as name,
          case
            when named.name like 'alias/%' then named.name
            when named.name like 'arn:%:alias/%' then substr(named.name, strpos(named.name, ':alias/') + 1)
          end as own_alias,
          list_filter(whole.told, x -> strpos(concat(x, '|'), concat('/', named.name, '|')) > 0) as ending
        from (
          select
            *,
            count_of(
              list_filter(asked, x -> x like 'alias/%' or x like 'arn:%:alias/%')
            ) as aliases,
            list_filter(
              told,
              x -> count_of(
                list_filter(
                  asked,
                  y -> y = x
                  or (
                    not y like 'arn:%'
                    and not y like 'alias/%'
                    and strpos(concat(x, '|'), concat('/', y, '|')) > 0
                  )
                )
              ) = 0
            ) as unnamed
          from (
            select
              eventid as event_id,
              strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') as event_time,
              eventname as event_name,
              nullif(awsregion, '') as region,
              coalesce(nullif(useridentity.accountid, ''), nullif(recipientaccountid, '')) as account,
              case
                when eventsource = 'kms.amazonaws.com'
                then asked_of(json_extract_string(requestparameters, '$.sourceKeyId'))
              end as source_key,
              case
                when asked_of(json_extract_string(requestparameters, '$.targetKeyId')) is not null
                  and json_extract_string(requestparameters, '$.aliasName') like 'alias/%'
                then json_extract_string(requestparameters, '$.aliasName')
              end as moved_alias,
              case
                when eventsource = 'kms.amazonaws.com'
                then json_extract_string(responseelements, '$.replicaKeyMetadata.arn')
              end as replica,
              case
                when eventsource = 'cloudtrail.amazonaws.com'
                then json_extract_string(responseelements, '$.kmsKeyId')
              end as trail_key,
              case when eventsource = 's3.amazonaws.com' then s3_key_of(responseelements) end as object_key,
              case eventsource
                when 'kms.amazonaws.com' then [
                  asked_of(json_extract_string(requestparameters, '$.keyId')),
                  asked_of(json_extract_string(requestparameters, '$.sourceKeyId')),
                  asked_of(json_extract_string(requestparameters, '$.destinationKeyId')),
                  asked_of(json_extract_string(requestparameters, '$.targetKeyId')),
                  asked_of(json_extract_string(serviceeventdetails, '$.keyId')),
                  case
                    when asked_of(json_extract_string(requestparameters, '$.targetKeyId')) is null
                      and json_extract_string(requestparameters, '$.aliasName') like 'alias/%'
                    then json_extract_string(requestparameters, '$.aliasName')
                  end,
                  null,
                  null,
                  null,
                  null
                ]
                when 'cloudtrail.amazonaws.com' then [
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  asked_of(json_extract_string(requestparameters, '$.kmsKeyId')),
                  null,
                  null,
                  null
                ]
                when 's3.amazonaws.com' then [
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  null,
                  asked_of(s3_key_of(requestparameters)),
                  asked_of(bucket_key_of(requestparameters)),
                  asked_of(bucket_keys_of(requestparameters))
                ]
                else [null, null, null, null, null, null, null, null, null, null]
              end as asked,
              once_each(
                list_filter(
                  list_concat(
                    coalesce(list_transform(resources, x -> x.arn), []),
                    case eventsource
                      when 'kms.amazonaws.com' then [
                        json_extract_string(responseelements, '$.keyId'),
                        json_extract_string(responseelements, '$.keyMetadata.arn'),
                        json_extract_string(responseelements, '$.replicaKeyMetadata.arn')
                      ]
                      when 'cloudtrail.amazonaws.com' then [json_extract_string(responseelements, '$.kmsKeyId')]
                      when 's3.amazonaws.com' then [s3_key_of(responseelements)]
                      else []
                    end
                  ),
                  x -> x like 'arn:%' and x like '%:kms:%' and x like '%:key/%'
                )
              ) as told
            from records
            where
              day between $first_folder and $last_folder
              and eventid <> ''
              and eventtime <> ''
              and eventname <> ''
              and eventsource <> ''
          ) as parts
        ) as whole
        cross join unnest(list_concat(whole.asked, whole.told)) with ordinality as named (name, pos)
        where named.name <> ''
      ) as resolved
    ) as told_of
  ) as numbered
  where nth_of_key = 1
) as kept
