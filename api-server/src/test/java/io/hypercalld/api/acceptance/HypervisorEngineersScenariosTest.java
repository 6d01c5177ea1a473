package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.IOVA;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
import static io.hypercalld.api.acceptance.GuestTranslation.PAGE_B;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What a host is to those who design hypervisors: spec/documents.md 6, X-3. */
final class HypervisorEngineersScenariosTest implements GuestBehaviours.OfTranslation {
  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.concat(experiments(), oracles());
  }

  private static JsonNode ask(GuestTranslation g, String experiment) {
    var answer = g.daemon().post("/v1/experiments/" + experiment, "{}");
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static Stream<Row<GuestTranslation>> experiments() {
    return Stream.of(
        row(
            "X-3 policies are compared in one table, on one trace, to one result",
            g -> {
              String table =
                  g.daemon()
                      .text(
                          "/v1/experiments/page-tables",
                          quoted("{'memory':'4MiB','operations':100}"));
              assertThat(table.lines().map(line -> line.replaceFirst(" .*", "")))
                  .containsExactly(
                      "mode",
                      "separate-4K",
                      "separate-4K-in-16K",
                      "separate-2M",
                      "separate-1G",
                      "shared-4K",
                      "same");
              assertThat(table).contains("same mappings: yes");
            }),
        row(
            "X-3 one hook taken away shows what it was for",
            g -> {
              for (JsonNode trial : ask(g, "sync-hooks").get("trials")) {
                boolean harmed =
                    StreamSupport.stream(trial.get("effects").spliterator(), false)
                        .anyMatch(
                            effect ->
                                effect.get("stale").asInt() + effect.get("faulting").asInt() > 0);
                assertThat(harmed).as("%s", trial).isEqualTo(trial.hasNonNull("without"));
              }
            }),
        row(
            "X-3 one flush taken away leaves the device what is the guest's no more",
            g -> {
              g.guest("");
              g.onePage();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.daemon()
                  .post(
                      "/_sim/faults",
                      quoted(
                          "{'id':'lost','match':{'iommu':0,'command':'iotlb'},"
                              + "'when':{'times':1000},'effect':{'type':'drop-invalidation'}}"));
              g.map(ONE, IOVA, PAGE_B, BOTH);
              g.forgetPage(1, IOVA);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.daemon().delete("/_sim/faults/lost");
              g.forgetPage(1, IOVA);
              g.map(ONE, IOVA, GuestTranslation.PAGE_A, BOTH);
              g.forgetPage(1, IOVA);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
            }),
        row(
            "X-3 steps are tried in every order that there is, and none loses anything",
            g -> {
              String orders = g.daemon().text("/v1/experiments/tlb-insert", "{}");
              assertThat(orders.lines().skip(1).findFirst().orElseThrow().strip())
                  .matches("241 +0 +always");
            }));
  }

  private static Stream<Row<GuestTranslation>> oracles() {
    return Stream.of(
        row(
            "X-3 an oracle names the guest's bug, and an explanation where the two walks part",
            g -> {
              g.guest("");
              g.onePage();
              g.map(ONE, IOVA, PAGE_B, BOTH);
              assertThat(g.read(FIRST, IOVA).get("oracle").asText())
                  .startsWith("guest bug: missing invalidation");
              JsonNode explained =
                  g.daemon()
                      .get("/v1/explain/dma?sbdf=%s&iova=0x%x&access=read".formatted(FIRST, IOVA))
                      .body();
              assertThat(explained.at("/guest/agrees").asBoolean()).isFalse();
              assertThat(explained.at("/guest/gpa").asText()).isEqualTo("0x801000");
            }),
        row(
            "X-3 generations of one interface differ where they differed",
            g -> {
              GuestUnit u = g.unit();
              u.policies("'viommu':'on'");
              List<String> second =
                  Stream.of("v2", "v3", "v4")
                      .map(
                          generation -> {
                            u.guest(",'policies':{'viommuApi':'%s'}".formatted(generation));
                            String base = ",'base_address':'0xfed90000'";
                            assertThat(u.op(0, base)).isZero();
                            return "%s: create %d, query %d, destroy %d"
                                .formatted(generation, u.op(0, base), u.op(2, ""), u.op(1, ""));
                          })
                      .toList();
              assertThat(second)
                  .containsExactly(
                      "v2: create -22, query 0, destroy 0",
                      "v3: create -7, query -38, destroy 0",
                      "v4: create -7, query -38, destroy -38");
            }));
  }
}
