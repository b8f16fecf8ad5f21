-- title: Events of a trail's own files
-- answers: The rows of EventRow, of a table over the files that CloudTrail delivers.
select
  eventid as event_id,
  nullif(sharedeventid, '') as shared_event_id,
  nullif(eventversion, '') as event_version,
  strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') as event_time,
  eventsource as event_source,
  eventname as event_name,
  nullif(eventtype, '') as event_type,
  nullif(eventcategory, '') as event_category,
  case readonly when 'true' then true when 'false' then false end as read_only,
  nullif(recipientaccountid, '') as account,
  nullif(awsregion, '') as region,
  coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, '')) as caller,
  nullif(useridentity.type, '') as caller_type,
  nullif(useridentity.accountid, '') as caller_account,
  nullif(useridentity.principalid, '') as principal_id,
  case
    when nullif(useridentity.sessioncontext.sessionissuer.arn, '') <> useridentity.arn
    then nullif(useridentity.arn, '')
  end as session,
  nullif(useridentity.invokedby, '') as service,
  nullif(sourceipaddress, '') as source_address,
  nullif(useragent, '') as user_agent,
  nullif(vpcendpointid, '') as vpc_endpoint,
  nullif(errorcode, '') as error_code,
  nullif(errormessage, '') as error_message,
  coalesce(
    nullif(nullif(json_part(requestparameters, '$.encryptionContext'), '{}'), 'null'),
    nullif(nullif(json_part(requestparameters, '$.sourceEncryptionContext'), '{}'), 'null')
  ) as encryption_context,
  nullif(nullif(json_part(requestparameters, '$.destinationEncryptionContext'), '{}'), 'null') as destination_encryption_context,
  nullif(nullif(json_part(requestparameters, '$'), '{}'), 'null') as request,
  nullif(nullif(json_part(responseelements, '$'), '{}'), 'null') as response,
  coalesce(nullif(nullif(json_part(additionaleventdata, '$'), '{}'), 'null'), nullif(nullif(json_part(serviceeventdetails, '$'), '{}'), 'null')) as additional,
  cast(strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') as date) as event_date
from records
where
  day between $first_folder and $last_folder
  and eventid <> ''
  and eventtime <> ''
  and eventname <> ''
  and eventsource <> ''
  and (
    eventsource in ('kms.amazonaws.com', 'cloudtrail.amazonaws.com')
    or list_min(
      list_filter(
        list_transform(resources, x -> x.arn),
        x -> x like 'arn:%' and x like '%:kms:%' and x like '%:key/%'
      )
    ) is not null
    or (
      eventsource = 's3.amazonaws.com'
      and coalesce(
        asked_of(s3_key_of(requestparameters)),
        asked_of(bucket_key_of(requestparameters)),
        asked_of(bucket_keys_of(requestparameters)),
        case when s3_key_of(responseelements) like 'arn:%:kms:%:key/%' then s3_key_of(responseelements) end
      ) is not null
    )
  )
