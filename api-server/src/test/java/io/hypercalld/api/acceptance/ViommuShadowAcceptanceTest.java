package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST_DEVFN;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
import static io.hypercalld.api.acceptance.GuestTranslation.READ;
import static io.hypercalld.api.acceptance.GuestTranslation.WRITE;
import static io.hypercalld.api.acceptance.GuestUnit.FECTL;
import static io.hypercalld.api.acceptance.GuestUnit.FSTS;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;

/** The scenarios of the document on virtual IOMMUs that concern the translation of requests. */
final class ViommuShadowAcceptanceTest implements GuestBehaviours.OfTranslation {
  private static final long A = GuestTranslation.PAGE_A;
  private static final long B = GuestTranslation.PAGE_B;
  private static final long LARGE = 0xa0_0000;
  private static final long IOVA = GuestTranslation.IOVA;

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.of(following(), memory(), faults()).flatMap(rows -> rows);
  }

  /** The guest's series of a metric. */
  private static long metric(GuestTranslation g, String name) {
    return sample(g, "hv_viommu_%s{domid=\"%d\"} ".formatted(name, g.unit().guest()));
  }

  private static long invalidations(GuestTranslation g, String type, String granularity) {
    return sample(
        g,
        "hv_viommu_invalidations_total{domid=\"%d\",type=\"%s\",granularity=\"%s\"} "
            .formatted(g.unit().guest(), type, granularity));
  }

  private static long series(GuestTranslation g, String series) {
    return Math.max(0, sample(g, "hv_viommu_shadow_" + series));
  }

  private static long sample(GuestTranslation g, String series) {
    return g.daemon()
        .text("/metrics")
        .lines()
        .filter(line -> line.startsWith(series))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(series.length())))
        .findFirst()
        .orElse(-1);
  }

  private static Stream<Row<GuestTranslation>> following() {
    return Stream.of(
        row(
            "13 without an invalidation the old page is used, and the oracle says so",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, IOVA, B, BOTH);
              JsonNode stale = g.read(FIRST, IOVA);
              assertThat(stale.get("data").asText()).startsWith("0a");
              assertThat(stale.get("oracle").asText())
                  .startsWith("guest bug: missing invalidation");
              JsonNode difference = g.shadow().at("/differences/0");
              assertThat(difference.get("before").asText()).isEqualTo("0x800000");
              assertThat(difference.get("now").asText()).isEqualTo("0x801000");
              g.forgetPage(1, IOVA);
              JsonNode fresh = g.read(FIRST, IOVA);
              assertThat(fresh.get("data").asText()).startsWith("0b");
              assertThat(fresh.get("oracle").isNull()).isTrue();
              assertThat(g.shadow().get("differences")).isEmpty();
            }),
        row(
            "metrics follow what shadows map, what they cost, and what the guest forgets to say",
            g -> {
              g.guest("");
              assertThat(metric(g, "shadow_entries")).isZero();
              g.onePage();
              assertThat(metric(g, "shadow_entries")).isEqualTo(1);
              assertThat(metric(g, "shadow_pages")).isEqualTo(4);
              g.map(ONE, 2 * IOVA, B, BOTH);
              assertThat(metric(g, "shadow_entries")).isEqualTo(1);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(-1);
              assertThat(metric(g, "missing_invalidations_total")).isEqualTo(1);
              g.forgetPage(1, 2 * IOVA);
              assertThat(metric(g, "shadow_entries")).isEqualTo(2);
              g.map(ONE, IOVA, 0, 0);
              g.forgetPage(1, IOVA);
              assertThat(metric(g, "shadow_entries")).isEqualTo(1);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(metric(g, "shadow_entries")).isZero();
              assertThat(metric(g, "shadow_pages")).isZero();
            }),
        row(
            "each request that meets a missing invalidation is told of, and counted",
            g -> {
              g.guest("");
              g.onePage();
              int before = g.daemon().events("viommu.missing.invalidation").size();
              g.map(ONE, IOVA, B, BOTH);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.map(ONE, 2 * IOVA, B, BOTH);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(-1);
              List<JsonNode> told = g.daemon().events("viommu.missing.invalidation");
              assertThat(told).hasSize(before + 2);
              assertThat(told.get(before).get("domid").asInt()).isEqualTo(g.unit().guest());
              assertThat(told.get(before).get("sbdf").asText()).isEqualTo(FIRST);
              assertThat(told.get(before).get("iova").asText()).isEqualTo("0x1000");
              assertThat(told.get(before + 1).get("iova").asText()).isEqualTo("0x2000");
              assertThat(metric(g, "missing_invalidations_total")).isEqualTo(2);
              g.forgetPage(1, IOVA);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xb);
              assertThat(g.daemon().events("viommu.missing.invalidation")).hasSize(before + 2);
            }),
        row(
            "metrics tell what the guest has forgotten, and how long shadows take to follow",
            g -> {
              g.guest("");
              g.onePage();
              long timed = series(g, "sync_duration_seconds_count{trigger=\"translations\"} ");
              g.forgetPage(1, IOVA);
              g.forgetPage(1, IOVA);
              g.forgetDomain(1);
              g.forgetContexts();
              assertThat(invalidations(g, "iotlb", "page")).isEqualTo(2);
              assertThat(invalidations(g, "iotlb", "domain")).isEqualTo(1);
              assertThat(invalidations(g, "context", "global")).isEqualTo(1);
              g.unit().submit(0x5, 0);
              assertThat(invalidations(g, "wait", "none")).isEqualTo(1);
              assertThat(series(g, "sync_duration_seconds_count{trigger=\"translations\"} "))
                  .isEqualTo(timed + 3);
              assertThat(g.cost("syncs/translations")).isEqualTo(3);
            }),
        row(
            "13 an invalidation of the domain, or of everything, will do as well",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, IOVA, B, BOTH);
              g.forgetDomain(2);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.forgetDomain(1);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xb);
              g.map(ONE, IOVA, A, BOTH);
              g.forgetTranslations();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
            }),
        row(
            "a page that went away is used until the invalidation, and not after",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, IOVA, 0, 0);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.forgetPage(1, IOVA);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
            }),
        row(
            "lazily, shadows follow once for all that a wait waits for",
            g -> {
              g.guest("", ",'policies':{'shadowSync':'lazy'}");
              g.onePage();
              g.map(ONE, IOVA, B, BOTH);
              g.forgetPage(1, IOVA);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xb);
              assertThat(g.cost("syncs/translations")).isEqualTo(1);
              assertThat(g.unit().view("").get("shadowSync").asText()).isEqualTo("lazy");
            }),
        row(
            "without caching mode the first request to what has appeared is lost",
            g -> {
              g.guest(",'cachingMode':false");
              g.onePage();
              g.map(ONE, 2 * IOVA, B, BOTH);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(-1);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(0xb);
              assertThat(g.cost("missingInvalidations")).isZero();
              assertThat(g.unit().faults()).isEmpty();
            }),
        row(
            "with caching mode it is a bug of the guest's",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, 2 * IOVA, B, BOTH);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(-1);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(-1);
              assertThat(g.cost("missingInvalidations")).isEqualTo(2);
              g.forgetPage(1, 2 * IOVA);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(0xb);
            }));
  }

  private static Stream<Row<GuestTranslation>> memory() {
    return Stream.of(
        row(
            "14 a page that is ballooned out dies in the shadow, too, and comes back with it",
            g -> {
              g.guest("");
              g.onePage();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.balloonOut(A);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
              assertThat(g.unit().faults()).isEmpty();
              assertThat(g.cost("hostFaults")).isEqualTo(1);
              assertThat(g.unit().view("").at("/counters/lastHostFault").asText())
                  .isEqualTo("guest frame 0x800 behind 0x1000 is no memory for devices");
              g.balloonIn(A);
              g.mark(A, 0xc);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xc);
            }),
        row(
            "14 the page is forgotten before its frame is free",
            g -> {
              g.guest("");
              g.onePage();
              String frame = g.read(FIRST, IOVA).at("/segments/0/maddr").asText();
              assertThat(remembered(g, frame)).isTrue();
              long flushes = flushes(g);
              g.balloonOut(A);
              assertThat(flushes(g)).isGreaterThan(flushes);
              assertThat(remembered(g, frame)).isFalse();
              assertThat(g.cost("syncs/p2m")).isEqualTo(1);
              String mfn = frame.substring(0, frame.length() - 3);
              assertThat(g.daemon().get("/v1/machine/frames/" + mfn).at("/use")).isEqualTo("free");
              assertThat(metric(g, "shadow_entries")).isEqualTo(1);
              assertThat(g.shadow().get("mappings")).isEmpty();
            }),
        row(
            "D18 a page that the pager takes dies in the shadow, too, and comes back with it",
            g -> {
              g.guest("", ",'policies':{'devicePaging':'allow'}");
              g.onePage();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.pageOut(A);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
              assertThat(g.unit().faults()).isEmpty();
              assertThat(g.cost("hostFaults")).isEqualTo(1);
              g.pageIn(A, 0xc);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xc);
            }),
        row(
            "D18 a page that becomes a device model's is neither written nor the guest's fault",
            g -> {
              g.guest("");
              g.onePage();
              assertThat(g.write(FIRST, IOVA, "ff").get("outcome").asText()).isEqualTo("done");
              g.claim(A);
              assertThat(g.write(FIRST, IOVA, "ff").get("outcome").asText()).isEqualTo("blocked");
              assertThat(g.unit().faults()).isEmpty();
              assertThat(g.cost("hostFaults")).isEqualTo(1);
            }),
        row(
            "a leaf is as large as both sides allow, and smaller when one of them changes",
            g -> {
              g.guest("");
              g.mark(LARGE, 0xd);
              g.mark(LARGE + 0x5000, 0xe);
              g.mapLarge(ONE, LARGE, LARGE, BOTH);
              g.context(FIRST_DEVFN, 1, ONE);
              g.translate();
              assertThat(g.read(FIRST, LARGE).at("/segments/0/page").asLong()).isEqualTo(2 << 20);
              g.balloonOut(LARGE + 0x7000);
              assertThat(g.read(FIRST, LARGE).at("/segments/0/page").asLong()).isEqualTo(4096);
              assertThat(g.found(FIRST, LARGE + 0x5000)).isEqualTo(0xe);
              assertThat(g.found(FIRST, LARGE + 0x7000)).isEqualTo(-1);
            }),
        row(
            "a guest's table that is ballooned out maps nothing any more",
            g -> {
              g.guest("");
              g.onePage();
              g.balloonOut(ONE + 0x2000);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
              assertThat(g.cost("syncs/table")).isEqualTo(1);
            }),
        row(
            "what only one side permits is not permitted",
            g -> {
              g.guest("");
              g.map(ONE, IOVA, A, READ);
              g.map(ONE, 2 * IOVA, B, WRITE);
              g.context(FIRST_DEVFN, 1, ONE);
              g.translate();
              assertThat(g.read(FIRST, IOVA).get("outcome").asText()).isEqualTo("done");
              assertThat(g.write(FIRST, IOVA, "ff").get("outcome").asText()).isEqualTo("blocked");
              assertThat(g.write(FIRST, 2 * IOVA, "ff").get("outcome").asText()).isEqualTo("done");
              assertThat(g.read(FIRST, 2 * IOVA).get("outcome").asText()).isEqualTo("blocked");
            }));
  }

  private static boolean remembered(GuestTranslation g, String maddr) {
    return g.daemon()
        .get("/v1/iommus/0/iotlb")
        .body()
        .get("items")
        .findValuesAsText("maddr")
        .contains(maddr);
  }

  private static long flushes(GuestTranslation g) {
    JsonNode flushes = g.daemon().get("/v1/iommus/0/counters").body().get("flushes");
    return flushes.get("page").asLong() + flushes.get("domain").asLong();
  }

  private static Stream<Row<GuestTranslation>> faults() {
    return Stream.of(
        row(
            "a request that the guest's table blocks is recorded in the guest's unit",
            g -> {
              g.guest("");
              g.onePage();
              assertThat(g.found(FIRST, 0x9000)).isEqualTo(-1);
              JsonNode fault = g.unit().faults().get(0);
              assertThat(fault.get("sbdf").asText()).isEqualTo("0000:00:04.0");
              assertThat(fault.get("reason").asText()).isEqualTo("0x6");
              assertThat(fault.get("address").asText()).isEqualTo("0x9000");
              assertThat(g.unit().read(FSTS, 4)).isEqualTo(2);
              // Masked, the event is kept.
              assertThat(g.unit().read(FECTL, 4)).isEqualTo(0xc000_0000L);
              assertThat(g.cost("guestFaults/0x6")).isEqualTo(1);
              assertThat(g.daemon().text("/metrics"))
                  .containsPattern("hv_viommu_guest_faults_total\\{[^}]*reason=\"0x6\"\\} 1")
                  .contains("hv_viommu_shadow_syncs_total{");
              assertThat(g.cost("hostFaults")).isZero();
            }),
        row(
            "a physical device's fault interrupts the guest, as its unit is told to",
            g -> {
              g.guest("");
              g.unit().write(0x3c, 4, 0x60);
              g.unit().write(0x40, 4, 0xfee0_0000L);
              g.unit().write(FECTL, 4, 0);
              g.onePage();
              g.found(FIRST, 0x9000);
              assertThat(RemappedGuest.waiting(g.unit(), 0)).isEqualTo("[96]");
              assertThat(g.unit().read(FECTL, 4)).isZero();
              // The next one overflows in silence.
              RemappedGuest.serve(g.unit(), 0, "acknowledge");
              RemappedGuest.serve(g.unit(), 0, "end");
              g.found(FIRST, 0xa000);
              assertThat(RemappedGuest.waiting(g.unit(), 0)).isEqualTo("[]");
            }),
        row(
            "a device without context entry is blocked, for the guest to see",
            g -> {
              g.guest("");
              g.translate();
              assertThat(g.mode(0)).isEqualTo("shadow");
              assertThat(g.found(FIRST, A)).isEqualTo(-1);
              assertThat(g.unit().faults().get(0).get("reason").asText()).isEqualTo("0x2");
            }),
        row(
            "the guest's fault log overflows as any does",
            g -> {
              g.guest("");
              g.onePage();
              g.found(FIRST, 0x9000);
              g.found(FIRST, 0xa000);
              assertThat(g.unit().read(FSTS, 4)).isEqualTo(3);
              assertThat(g.unit().faults()).hasSize(1);
            }));
  }
}
