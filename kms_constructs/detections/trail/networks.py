"""From which network a call came.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import ipaddress

PRIVATE = "private addresses"
"""Every address that means something inside of somebody's network alone."""

# Not `is_private`: for that, networks for documentation are private as well, and shared ones are not.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
            "fc00::/7", "fe80::/10", "::1/128",
        ),
    )
)  # fmt: skip
_LENGTHS = {4: 24, 6: 48}


def network_of(address: str | None) -> str | None:
    """The network of an address: /24 of IPv4, /48 of IPv6; None for services, which have none.

    Example:
        >>> network_of("203.0.113.7"), network_of("172.32.0.1"), network_of("172.31.0.1")
        ('203.0.113.0/24', '172.32.0.0/24', 'private addresses')
        >>> network_of("2001:db8:7:1::9"), network_of("s3.amazonaws.com"), network_of("AWS Internal")
        ('2001:db8:7::/48', None, None)
    """
    try:
        found = ipaddress.ip_address((address or "").strip("[]"))
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    plain = mapped or found
    if any(plain in network for network in _PRIVATE if network.version == plain.version):
        return PRIVATE
    return str(ipaddress.ip_network((plain, _LENGTHS[plain.version]), strict=False))
