namespace LoyaltyService.Local;

/// <summary>The startup message: the addresses, and a sale to paste.</summary>
internal static class Welcome
{
    public static string Text(int port, string pdi, string folder) => $$"""

        loyalty-service   http://localhost:{{port}}        API reference: http://localhost:{{port}}/docs
        PDI simulator     {{pdi}}   ledger: {{pdi}}/_simulator/ledger/summary
        data              {{folder}}

        A sale, step by step (paste into another terminal; each new TXN starts a new sale):

          TXN=TXN-$(date +%s)

          # 1. identify
          SESSION=$(curl -s localhost:{{port}}/loyalty/identify -H 'Content-Type: application/json' \
            -d '{"customerId":"CUST-12345","channelId":"POS-001","transactionId":"'$TXN'"}' | tee /dev/stderr | sed 's/.*"sessionId":"\([^"]*\)".*/\1/'); echo

          # 2. calculate rewards
          curl -s localhost:{{port}}/loyalty/calculate-rewards -H 'Content-Type: application/json' \
            -d '{"sessionId":"'$SESSION'","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2}]}'; echo

          # 3. finalize
          curl -s localhost:{{port}}/loyalty/finalize -H 'Content-Type: application/json' \
            -d '{"sessionId":"'$SESSION'","transactionId":"'$TXN'","finalAmount":150.00,"applyRewards":true}'; echo

          # 4. status
          curl -s localhost:{{port}}/loyalty/sessions/$SESSION; echo

        Ctrl+C stops the service. The data stays for the next start.

        """;
}
