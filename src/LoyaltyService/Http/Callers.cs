using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace LoyaltyService.Http;

/// <summary>Turns names into keys of a fixed size that do not reveal the name.</summary>
internal static class Callers
{
    public static Guid Of(string name) => new(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    /// <summary>An IPv6 caller counts as its network of 64 bits, because it owns all addresses in it.</summary>
    public static Guid Of(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false })
        {
            address.TryWriteBytes(bytes, out _);
            bytes[8..].Clear();
        }
        else
        {
            address?.MapToIPv6().TryWriteBytes(bytes, out _);
        }

        return new Guid(bytes);
    }
}
