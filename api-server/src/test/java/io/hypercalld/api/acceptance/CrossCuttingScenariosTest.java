package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.IOVA;
import static io.hypercalld.api.acceptance.GuestTranslation.PAGE_A;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Where the documents meet each other: spec/documents.md 6, X-1. A guest's first-level tables above
 * the shared P2M are row 16 of the virtual IOMMU's, the two vetoes of a migration are X-2's.
 */
final class CrossCuttingScenariosTest implements GuestBehaviours.OfTranslation {
  /** Dom0's network card, and a guest frame of dom0's where nothing is. */
  private static final String NIC = "0000:03:00.0";

  private static final long FOREIGN = 0x7_0000;
  private static final int EXDEV = -18;
  private static final int EINVAL = -22;
  private static final int PSEUDO_IDS = 0x8000;

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.of(
        row(
            "X-1 a guest's own context takes a domain-id by a pseudo id, and gives it back",
            g -> {
              g.guest("");
              int before = used(g);
              g.onePage();
              assertThat(used(g)).isEqualTo(before + 1);
              assertThat(g.shadow().at("/spaces/0/shadow").asInt())
                  .isGreaterThanOrEqualTo(PSEUDO_IDS);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(used(g)).isEqualTo(before);
            }),
        row(
            "X-1 under a shared table a claimed page may be read by devices, and not written",
            g -> {
              g.guest("", ",'pageTables':'shared'");
              g.claim(PAGE_A);
              assertThat(g.read(FIRST, PAGE_A).get("outcome").asText()).isEqualTo("done");
              assertThat(g.write(FIRST, PAGE_A, "11").at("/fault/reason").asText())
                  .isEqualTo("0x5");
            }),
        row(
            "X-1 under a separate table a claimed page is no device's at all",
            g -> {
              g.guest("", ",'pageTables':'separate'");
              g.claim(PAGE_A);
              assertThat(g.read(FIRST, PAGE_A).at("/fault/reason").asText()).isEqualTo("0x6");
              assertThat(g.write(FIRST, PAGE_A, "11").at("/fault/reason").asText())
                  .isEqualTo("0x5");
            }),
        row(
            "X-1 behind a shadow a claimed page is not written, and the guest hears nothing",
            g -> {
              g.guest("");
              g.onePage();
              g.claim(PAGE_A);
              assertThat(g.write(FIRST, IOVA, "11").get("outcome").asText()).isEqualTo("blocked");
              assertThat(g.unit().faults()).isEmpty();
            }),
        row(
            "X-1 log-dirty and a device exclude each other, whichever comes first",
            g -> {
              g.guest("");
              assertThat(logDirty(g)).isEqualTo(EINVAL);
              g.unit().guest("");
              assertThat(logDirty(g)).isZero();
              assertThat(assign(g, GuestTranslation.SECOND)).isEqualTo(EXDEV);
            }),
        row(
            "X-1 what dom0 maps of a guest's its devices reach, and not for longer",
            g -> {
              g.guest("");
              g.mark(PAGE_A, 0xa);
              assertThat(g.found(NIC, FOREIGN << 12)).isEqualTo(-1);
              JsonNode mapped =
                  g.unit()
                      .xen()
                      .done(
                          "memory_op",
                          "add_to_physmap_batch",
                          ("{'domid':32752,'space':4,'foreign_domid':%d,'idxs':['0x%x'],"
                                  + "'gpfns':['0x%x']}")
                              .formatted(g.unit().guest(), PAGE_A >>> 12, FOREIGN));
              assertThat(mapped.get("errs").toString()).isEqualTo("[0]");
              assertThat(g.found(NIC, FOREIGN << 12)).isEqualTo(0xa);
              g.unit()
                  .xen()
                  .done(
                      "memory_op",
                      "remove_from_physmap",
                      "{'domid':32752,'gpfn':'0x%x'}".formatted(FOREIGN));
              assertThat(g.found(NIC, FOREIGN << 12)).isEqualTo(-1);
            }),
        row(
            "X-1 the number that both first had is the page claims'; units are made by domctl",
            g -> {
              JsonNode calls = g.daemon().get("/v1/hypercalls").body().get("items");
              assertThat(operations(calls, "dm_op"))
                  .contains("map_mem_type_to_ioreq_server")
                  .doesNotContain("viommu_op");
              assertThat(operations(calls, "domctl")).contains("viommu_op");
              for (String generation : new String[] {"v2", "v3", "v4"}) {
                g.unit().guest(",'policies':{'viommuApi':'%s'}".formatted(generation));
                g.claim(PAGE_A);
                assertThat(g.unit().view("").at("/errno").asText()).isEqualTo("ENODEV");
              }
            }));
  }

  private static List<String> operations(JsonNode calls, String call) {
    return StreamSupport.stream(calls.spliterator(), false)
        .filter(each -> each.get("call").asText().equals(call))
        .map(each -> each.get("op").asText())
        .toList();
  }

  private static long assign(GuestTranslation g, String sbdf) {
    return g.unit()
        .xen()
        .ret(
            "domctl",
            "assign_device",
            "{'domain':%d,'machine_sbdf':'%s'}".formatted(g.unit().guest(), sbdf));
  }

  private static long logDirty(GuestTranslation g) {
    return g.unit()
        .xen()
        .ret("domctl", "shadow_op", "{'domain':%d,'op':2}".formatted(g.unit().guest()));
  }

  /** Domain-ids of the unit that are in use. */
  private static int used(GuestTranslation g) {
    return g.daemon().get("/v1/iommus/0").body().at("/domainIds/used").asInt();
  }
}
