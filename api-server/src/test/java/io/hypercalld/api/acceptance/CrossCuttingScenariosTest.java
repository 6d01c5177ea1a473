package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestTranslation.FIRST;
import static io.hypercalld.api.acceptance.GuestTranslation.IOVA;
import static io.hypercalld.api.acceptance.GuestTranslation.PAGE_A;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** Where the documents meet each other: spec/documents.md 6, X-1 and X-4; X-2 has its own suite. */
final class CrossCuttingScenariosTest implements GuestBehaviours.OfTranslation {
  private static final int ENOMEM = -12;
  private static final int EXDEV = -18;
  private static final int EINVAL = -22;
  private static final int PSEUDO_IDS = 0x8000;

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.concat(meetings(), hosts());
  }

  private static Stream<Row<GuestTranslation>> meetings() {
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
            }));
  }

  private static Stream<Row<GuestTranslation>> hosts() {
    return Stream.of(
        row(
            "X-4 a snapshot takes the host back, byte by byte, guests' units included",
            g -> {
              g.guest("");
              g.onePage();
              String before = g.daemon().digest();
              Answer taken = g.daemon().post("/_sim/snapshots", quoted("{'name':'cross'}"));
              assertThat(taken.status()).isLessThan(300);
              g.balloonOut(PAGE_A);
              g.unit().write(GuestUnit.GCMD, 4, GuestUnit.QIE);
              assertThat(g.daemon().digest()).isNotEqualTo(before);
              g.daemon().post("/_sim/snapshots/cross/restore", "{}");
              assertThat(g.daemon().digest()).isEqualTo(before);
              assertThat(g.found(FIRST, IOVA)).isEqualTo(0xa);
              assertThat(g.daemon().delete("/_sim/snapshots/cross").status()).isEqualTo(204);
            }),
        row(
            "X-4 the second call fails, and leaves the device and the ids as they were",
            g -> {
              g.guest("");
              Answer set =
                  g.daemon()
                      .post(
                          "/_sim/faults",
                          quoted(
                              "{'id':'nth','match':{'call':'domctl.assign_device'},"
                                  + "'when':{'skip':1,'times':1},'effect':{'errno':'ENOMEM'}}"));
              assertThat(set.status()).isLessThan(300);
              assertThat(assign(g, GuestTranslation.SECOND)).isZero();
              int used = used(g);
              assertThat(assign(g, "0000:03:10.4")).isEqualTo(ENOMEM);
              assertThat(used(g)).isEqualTo(used);
              assertThat(g.daemon().get("/v1/devices/0000:03:10.4").at("/owner")).isEqualTo("0");
              assertThat(assign(g, "0000:03:10.4")).isZero();
              g.daemon().delete("/_sim/faults/nth");
            }));
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
