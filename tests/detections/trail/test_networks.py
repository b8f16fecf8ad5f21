from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.detections.trail.networks import PRIVATE, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.31.255.254", PRIVATE),
        ("172.15.0.1", "172.15.0.0/24"),
        ("172.32.0.1", "172.32.0.0/24"),
        ("172.217.4.4", "172.217.4.0/24"),
        ("192.168.1.1", PRIVATE),
        ("192.0.2.9", "192.0.2.0/24"),
        ("100.64.0.1", PRIVATE),
        ("100.128.0.1", "100.128.0.0/24"),
        ("169.254.169.254", PRIVATE),
        ("203.0.113.200", "203.0.113.0/24"),
        ("2001:db8:7:1::9", "2001:db8:7::/48"),
        ("2001:DB8:7:2::1", "2001:db8:7::/48"),
        ("fd12:3456::1", PRIVATE),
        ("fe80::1", PRIVATE),
        ("::ffff:10.0.0.1", PRIVATE),
        ("::ffff:203.0.113.5", "203.0.113.0/24"),
        ("[2001:db8:7::1]", "2001:db8:7::/48"),
        ("s3.amazonaws.com", None),
        ("AWS Internal", None),
        ("", None),
        (None, None),
        ("172.01.01.001", None),
    ],
)
def test_networks(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


@given(st.ip_addresses())
def test_an_address_lies_in_its_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    network = network_of(str(address))
    if network != PRIVATE:
        mapped = getattr(address, "ipv4_mapped", None) or address
        assert mapped in ipaddress.ip_network(str(network))


@given(st.text(max_size=40))
def test_whatever_stands_there_it_is_a_network_or_none(text: str) -> None:
    assert network_of(text) is None or isinstance(network_of(text), str)
