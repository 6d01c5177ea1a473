package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** What is said openly not to be so: spec/documents.md 6, X-5. */
final class BoundariesScenariosTest implements GuestBehaviours.OfUnit {
  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(
        row(
            "X-5 the interface's own description says what is no promise",
            u ->
                assertThat(u.daemon().get("/openapi.json").at("/info/description"))
                    .contains("not cycle accurate")
                    .contains("declared models")
                    .contains("configuration")),
        row(
            "X-5 no cycle passes by itself: time and costs are what one is told to configure",
            u -> {
              JsonNode before = u.daemon().get("/_sim/clock").body();
              u.guest("");
              assertThat(u.daemon().get("/_sim/clock").body()).isEqualTo(before);
              u.daemon().post("/_sim/pace", quoted("{'nanoseconds':1000000}"));
              assertThat(u.daemon().get("/_sim/pace").at("/nanoseconds")).isEqualTo("1000000");
              u.daemon().post("/_sim/pace", quoted("{'nanoseconds':20000000}"));
            }),
        row(
            "X-5 guests' boots are told by the steps of models, and nothing of theirs has run",
            u -> {
              u.guest(",'vcpus':288,'policies':{'intremap':'on'}");
              String before = u.daemon().digest();
              JsonNode boots =
                  u.daemon()
                      .get("/v1/domains/%d/interrupt-reachability".formatted(u.guest()))
                      .body()
                      .get("boot");
              for (JsonNode boot : boots) {
                assertThat(boot.get("online").asInt()).isEqualTo(288);
                assertThat(boot.get("steps").findValuesAsText("step"))
                    .containsExactly(
                        "x2apic", "enumerate", "start-processors", "device-interrupts");
              }
              assertThat(u.daemon().digest()).isEqualTo(before);
              assertThat(
                      u.xen()
                          .done("domctl", "getdomaininfo", "{'domain':%d}".formatted(u.guest()))
                          .get("nr_online_vcpus")
                          .asInt())
                  .isEqualTo(1);
            }),
        row(
            "X-5 a series of patches known from memory alone has no calls here",
            u -> {
              for (String op :
                  new String[] {"query_reserved", "enable_modification", "map", "unmap", "flush"}) {
                assertThat(u.daemon().hypercall("iommu_op", op, "{}").status())
                    .as(op)
                    .isEqualTo(404);
              }
            }));
  }
}
