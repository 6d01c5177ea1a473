package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.BOTH;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.FIRST_DEVFN;
import static io.hypercalld.api.acceptance.GuestTranslation.ONE;
import static io.hypercalld.api.acceptance.GuestTranslation.SECOND;
import static io.hypercalld.api.acceptance.GuestTranslation.SECOND_DEVFN;
import static io.hypercalld.api.acceptance.GuestTranslation.TWO;
import static io.hypercalld.api.acceptance.GuestUnit.CONTEXT;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.stream.Stream;

/**
 * The scenarios of the document on virtual IOMMUs that concern which table a device goes through:
 * S1-M7, M8, S1-D17, 2.4 rows 12 and 15.
 */
final class ViommuSwitchingAcceptanceTest implements GuestBehaviours.OfTranslation {
  private static final long A = GuestTranslation.PAGE_A;
  private static final long B = GuestTranslation.PAGE_B;
  private static final long IOVA = GuestTranslation.IOVA;
  private static final String MISSING = "guest bug: missing invalidation";

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.concat(switching(), failing());
  }

  private static JsonNode context(GuestTranslation g, String sbdf) {
    for (JsonNode entry :
        g.daemon().get("/v1/iommus/0/context-entries?limit=10000").body().get("items")) {
      if (entry.get("sbdf").asText().equals(sbdf)) {
        return entry;
      }
    }
    throw new AssertionError(sbdf);
  }

  private static String root(GuestTranslation g) {
    return context(g, FIRST).toString();
  }

  private static Stream<Row<GuestTranslation>> switching() {
    return Stream.of(
        row(
            "15 on and off: the domain's table, the shadow, the domain's table",
            g -> {
              g.guest("");
              String before = root(g);
              assertThat(g.mode(0)).isEqualTo("default");
              g.onePage();
              assertThat(g.mode(0)).isEqualTo("shadow");
              assertThat(root(g)).isNotEqualTo(before);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              assertThat(g.found(FIRST, A)).isEqualTo(-1);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(g.mode(0)).isEqualTo("default");
              assertThat(root(g)).isEqualTo(before);
              assertThat(g.found(FIRST, A)).isEqualTo(0xa);
              assertThat(g.shadow().get("spaces")).isEmpty();
            }),
        row(
            "12 two devices in two I/O domains have the same address lead to different pages",
            g -> {
              g.guest("");
              g.assign(SECOND, "00:05.0");
              g.map(TWO, IOVA, B, BOTH);
              g.context(SECOND_DEVFN, 2, TWO);
              g.onePage();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              assertThat(g.found(SECOND, IOVA)).isEqualTo(0xb);
              assertThat(g.shadow().get("spaces")).hasSize(2);
              // Each has a table and a domain-id of its own, by a pseudo id of upper half.
              JsonNode first = context(g, FIRST);
              JsonNode second = context(g, SECOND);
              for (String member : List.of("domainId", "domid", "secondLevelTable")) {
                assertThat(first.get(member)).isNotEqualTo(second.get(member));
              }
              assertThat(first.get("domid").asInt()).isGreaterThanOrEqualTo(0x8000);
              assertThat(second.get("domid").asInt()).isGreaterThanOrEqualTo(0x8000);
            }),
        row(
            "12 one device in two I/O domains, one after the other, keeps nothing of the first",
            g -> {
              g.guest("");
              g.onePage();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              int first = context(g, FIRST).get("domid").asInt();
              g.map(TWO, 2 * IOVA, B, BOTH);
              g.context(FIRST_DEVFN, 2, TWO);
              g.forgetContexts();
              assertThat(context(g, FIRST).get("domid").asInt()).isNotEqualTo(first);
              assertThat(g.found(FIRST, 2 * IOVA)).isEqualTo(0xb);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
            }),
        row(
            "two devices of one I/O domain share a shadow",
            g -> {
              g.guest("");
              g.assign(SECOND, "00:05.0");
              g.context(SECOND_DEVFN, 1, ONE);
              g.onePage();
              assertThat(g.found(SECOND, IOVA)).isEqualTo(0xa);
              assertThat(g.shadow().get("spaces")).hasSize(1);
            }),
        row(
            "a pass-through entry leads to the domain's own table",
            g -> {
              g.guest("");
              g.onePage();
              g.unit().store(CONTEXT + FIRST_DEVFN * 16L, 1 | 2 << 2, 2 | 1 << 8);
              assertThat(g.mode(0)).isEqualTo("shadow");
              g.forgetContexts();
              assertThat(g.mode(0)).isEqualTo("passthrough");
              assertThat(g.found(FIRST, A)).isEqualTo(0xa);
            }),
        row(
            "another table takes effect with the invalidation of the context entry",
            g -> {
              g.guest("");
              g.map(TWO, IOVA, B, BOTH);
              g.onePage();
              g.context(FIRST_DEVFN, 2, TWO);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              g.forgetContexts();
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xb);
              assertThat(g.shadow().get("spaces")).hasSize(1);
            }),
        row(
            "13 a context entry that changes unsaid is the guest's bug, whatever it said before",
            g -> {
              g.guest("");
              g.map(TWO, IOVA, B, BOTH);
              g.onePage();
              g.context(FIRST_DEVFN, 2, TWO);
              assertThat(g.read(FIRST, IOVA).get("oracle").asText()).startsWith(MISSING);
              g.forgetContexts();
              assertThat(g.read(FIRST, IOVA).get("oracle").isNull()).isTrue();
              g.unit().store(CONTEXT + FIRST_DEVFN * 16L, 1 | 2 << 2, 2 | 2 << 8);
              g.forgetContexts();
              assertThat(g.read(FIRST, B).get("oracle").isNull()).isTrue();
              g.context(FIRST_DEVFN, 1, ONE);
              JsonNode passed = g.read(FIRST, B);
              assertThat(passed.get("data").asText()).startsWith("0b");
              assertThat(passed.get("oracle").asText()).startsWith(MISSING);
              assertThat(g.cost("missingInvalidations")).isEqualTo(2);
            }),
        row(
            "13 a context entry that appears unsaid is found by a fault, or with caching mode a"
                + " bug",
            g -> {
              for (boolean caching : new boolean[] {true, false}) {
                g.unit().begin();
                g.guest(",'cachingMode':" + caching);
                g.mark(A, 0xa);
                g.map(ONE, IOVA, A, BOTH);
                g.translate();
                g.context(FIRST_DEVFN, 1, ONE);
                assertThat(g.found(FIRST, IOVA)).isEqualTo(-1);
                assertThat(g.cost("missingInvalidations")).isEqualTo(caching ? 1 : 0);
                assertThat(g.found(FIRST, IOVA)).isEqualTo(caching ? -1 : 0xa);
                assertThat(g.unit().faults()).isEmpty();
              }
            }),
        row(
            "a device given while translation is on goes where the guest's tables say",
            g -> {
              g.guest("");
              g.context(SECOND_DEVFN, 1, ONE);
              g.onePage();
              g.assign(SECOND, "00:05.0");
              assertThat(g.mode(1)).isEqualTo("shadow");
              assertThat(g.found(SECOND, IOVA)).isEqualTo(0xa);
              g.daemon().delete("/v1/devices/%s/assignment".formatted(SECOND));
              assertThat(g.found(SECOND, IOVA)).isEqualTo(-1);
            }),
        row(
            "a domain that ends gives everything back",
            g -> {
              g.unit().guest("");
              g.assign(FIRST, "00:04.0");
              g.daemon().delete("/v1/domains/" + g.unit().guest());
              long used = g.daemon().get("/v1/machine").body().at("/frames/used").asLong();
              JsonNode ids = g.daemon().get("/v1/iommus/0/domain-ids").body().get("items");
              g.guest("");
              g.onePage();
              g.daemon().delete("/v1/domains/" + g.unit().guest());
              assertThat(g.daemon().get("/v1/machine").body().at("/frames/used").asLong())
                  .isEqualTo(used);
              assertThat(g.daemon().get("/v1/iommus/0/domain-ids").body().get("items"))
                  .isEqualTo(ids);
            }));
  }

  private static Stream<Row<GuestTranslation>> failing() {
    return Stream.of(
        row(
            "15 wherever memory runs out the device has one table or the other",
            g -> {
              int refused = 0;
              boolean done = false;
              for (int frames = 0; !done; frames++) {
                g.unit().begin();
                g.guest("");
                g.mark(A, 0xa);
                g.map(ONE, IOVA, A, BOTH);
                g.context(FIRST_DEVFN, 1, ONE);
                rule(g, "{'id':'full','when':{'skip':%d},'effect':{'errno':'ENOMEM'}}", frames);
                g.translate();
                done = g.mode(0).equals("shadow");
                refused += (int) g.cost("refusals");
                assertThat(g.found(FIRST, done ? IOVA : A)).as("%d", frames).isEqualTo(0xa);
                // What is an address of devices is one of memory, too, which is empty there.
                assertThat(g.found(FIRST, done ? A : IOVA)).isEqualTo(done ? -1 : 0);
                g.daemon().delete("/_sim/faults/full");
                g.check();
                // What was refused goes once there is memory, and the guest says it again.
                g.forgetContexts();
                assertThat(g.mode(0)).isEqualTo("shadow");
                assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              }
              // A table of four levels for one page.
              assertThat(refused).isEqualTo(4);
            }),
        row(
            "15 a switch forgets the context entry, then what was translated by it",
            g -> {
              g.guest("");
              g.mark(A, 0xa);
              g.found(FIRST, A);
              long contexts = flushes(g, "device");
              long translations = flushes(g, "domain");
              g.map(ONE, IOVA, A, BOTH);
              g.context(FIRST_DEVFN, 1, ONE);
              g.translate();
              assertThat(flushes(g, "device")).isEqualTo(contexts + 1);
              assertThat(flushes(g, "domain")).isEqualTo(translations + 1);
              assertThat(g.found(FIRST, A)).isEqualTo(-1);
            }),
        row(
            "15 whichever invalidation is not carried out the device has one table or the other",
            g -> {
              for (int command = 0; command < 6; command++) {
                g.unit().begin();
                g.guest("");
                g.mark(A, 0xa);
                g.map(ONE, IOVA, A, BOTH);
                g.context(FIRST_DEVFN, 1, ONE);
                rule(
                    g,
                    "{'id':'slow','match':{'iommu':0},'when':{'skip':%d},"
                        + "'effect':{'type':'invalidation-timeout'}}",
                    command);
                g.translate();
                long before = g.found(FIRST, A);
                long after = g.found(FIRST, IOVA);
                assertThat(List.of(before, after)).as("%d", command).contains(0xaL);
                g.daemon().delete("/_sim/faults/slow");
              }
            }));
  }

  private static void rule(GuestTranslation g, String rule, int skip) {
    Answer set = g.daemon().post("/_sim/faults", quoted(rule.formatted(skip)));
    assertThat(set.status()).as("%s", set.body()).isLessThan(300);
  }

  private static long flushes(GuestTranslation g, String scope) {
    return g.daemon().get("/v1/iommus/0/counters").body().at("/flushes/" + scope).asLong();
  }
}
