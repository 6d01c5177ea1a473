package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** B83, B114, B160: what the driver makes of storms, stuck queues and regions in the way. */
final class DriverAcceptanceTest implements AssignmentBehaviours {
  private static final String A = "0000:03:10.0";
  private static final String B = "0000:04:10.0";
  private static final String OTHER_B = "0000:04:10.1";
  private static final String USB = "0000:00:14.0";
  private static final int EADDRINUSE = -98;

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "B83 ten faults 10 ms apart stop a device at the tenth, further apart never",
            h -> {
              int guest = h.guest();
              h.given(guest, A);
              pace(h, 10_000_000);
              for (int fault = 1; fault < 10; fault++) {
                assertThat(h.outcome(A, 0x4000_0000L)).isEqualTo("0x5");
                assertThat(storm(h)).isEqualTo(fault);
              }
              assertThat(h.device(A).get("busMaster").asBoolean()).isTrue();
              assertThat(h.outcome(A, 0x4000_0000L)).isEqualTo("0x5");
              assertThat(h.device(A).get("busMaster").asBoolean()).isFalse();

              h.deassign(guest, A);
              h.given(guest, A);
              h.daemon().put("/v1/devices/" + A + "/command", "{\"busMaster\":true}");
              pace(h, 10_000_001);
              for (int fault = 0; fault < 10; fault++) {
                assertThat(h.outcome(A, 0x4000_0000L)).isEqualTo("0x5");
                assertThat(storm(h)).isEqualTo(1);
              }
              assertThat(h.device(A).get("busMaster").asBoolean()).isTrue();
              pace(h, 20_000_000);
            }),
        row(
            "- the faults of every unit are read, laid to their devices and cleared",
            h -> {
              int guest = h.guest();
              h.given(guest, A);
              h.given(guest, B);
              for (String device : new String[] {A, B}) {
                assertThat(h.outcome(device, 0x4000_0000L)).isEqualTo("0x5");
                assertThat(h.device(device).at("/faults/storm").asInt()).isEqualTo(1);
              }
              for (int unit = 0; unit < 2; unit++) {
                assertThat(
                        h.daemon()
                            .post(
                                "/v1/iommus/" + unit + "/mmio", "{\"offset\":\"0x34\",\"size\":4}")
                            .at("/value"))
                    .isEqualTo("0x0");
              }
              assertThat(h.culprit(0, A)).isEqualTo(guest);
              assertThat(h.culprit(1, B)).isEqualTo(guest);
            }),
        row(
            "B114 a stuck queue keeps no other unit from its own, but whoever needs both suffers",
            h -> {
              int both = h.guest();
              int other = h.guest();
              h.given(both, A);
              h.given(both, B);
              h.outcome(A, 0x5000);
              h.outcome(B, 0x5000);
              h.inject(
                  "{'match':{'iommu':0,'command':'iotlb'},'when':{'times':1},"
                      + "'effect':{'type':'invalidation-timeout'}}");

              assertThat(h.xen().decrease(both, "0x5")).isEqualTo(1);

              assertThat(h.daemon().get("/v1/domains/" + both).at("/state")).isEqualTo("shutdown");
              assertThat(h.outcome(B, 0x5000)).as("unit 1 was told").isEqualTo("0x5");
              assertThat(h.outcome(A, 0x5000)).as("unit 0 was not").isEqualTo("done");
              h.given(other, OTHER_B);
              assertThat(h.outcome(OTHER_B, 0x5000)).isEqualTo("done");
              h.daemon().delete("/v1/domains/" + both);
            }),
        row(
            "B160 a reserved region that overlaps another of the domain's is EADDRINUSE",
            h -> {
              JsonNode region = h.device(USB).at("/reservedRegions/0");
              long limit = Long.decode(region.get("limit").asText());
              var named =
                  h.daemon()
                      .post(
                          "/_sim/reserved-regions",
                          "{\"base\":\"0x%x\",\"limit\":\"0x%x\",\"devices\":[\"%s\"]}"
                              .formatted(limit - 0xfff, limit, OTHER_B));
              assertThat(named.status()).as("%s", named.body()).isEqualTo(200);
              int guest = h.guest();
              int alone = h.guest();
              h.given(guest, USB);
              h.refuses(EADDRINUSE, () -> h.assign(guest, OTHER_B));
              h.given(alone, OTHER_B);
              assertThat(h.outcome(OTHER_B, limit)).isEqualTo("done");
              assertThat(h.outcome(OTHER_B, limit - 0x1000)).isEqualTo("0x5");
            }));
  }

  private static int storm(AssignmentHost h) {
    return h.device(A).at("/faults/storm").asInt();
  }

  private static void pace(AssignmentHost h, long nanoseconds) {
    h.daemon().post("/_sim/pace", "{\"nanoseconds\":%d}".formatted(nanoseconds));
  }
}
