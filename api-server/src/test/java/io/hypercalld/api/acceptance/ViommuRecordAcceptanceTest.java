package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.FSTS;
import static io.hypercalld.api.acceptance.GuestUnit.GSTS;
import static io.hypercalld.api.acceptance.GuestUnit.INTERRUPTS;
import static io.hypercalld.api.acceptance.GuestUnit.IQH;
import static io.hypercalld.api.acceptance.GuestUnit.IRE;
import static io.hypercalld.api.acceptance.GuestUnit.IRTA;
import static io.hypercalld.api.acceptance.GuestUnit.QIE;
import static io.hypercalld.api.acceptance.GuestUnit.SIRTP;
import static io.hypercalld.api.acceptance.GuestUnit.STATUS;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** Scenario 17 of the document on virtual IOMMUs: saved in the middle of its work, and restored. */
final class ViommuRecordAcceptanceTest implements GuestBehaviours.OfTranslation {
  private static final int EIME = 1 << 11;
  private static final long PAGE = 0x80_0000;
  private static final long IOVA = 0x1000;

  /** A guest of two vCPUs whose table of 16 entries leads entry 5 to vCPU 1. */
  private static void remapping(GuestUnit u, String viommu) {
    u.guest(",'vcpus':2,'viommu':{" + viommu + "}");
    tables(u);
    u.enableQueue();
    u.write(IRTA, 8, INTERRUPTS | EIME | 3);
    u.command(SIRTP);
    u.command(IRE);
  }

  /** What of the guest's memory goes with it. */
  private static void tables(GuestUnit u) {
    u.store(INTERRUPTS + 5 * 16L, 1 | 0x51 << 16 | 2L << 32, 0);
  }

  private static JsonNode send(GuestUnit u, int handle) {
    return u.daemon()
        .post(
            "/v1/domains/%d/virtual-devices/00:03.0/msi".formatted(u.guest()),
            quoted("{'address':'0x%x','data':'0x0'}".formatted(0xfee0_0010L | (long) handle << 5)))
        .body();
  }

  private static Answer load(GuestUnit u, String record) {
    return u.daemon()
        .put(
            "/v1/domains/%d/viommu/record".formatted(u.guest()),
            quoted("{'record':'%s'}".formatted(record)));
  }

  private static String save(GuestUnit u) {
    return u.view("/record").get("record").asText();
  }

  /** The same guest on another host: its memory has come along, its unit has not yet. */
  private static void moved(GuestUnit u, String more) {
    u.guest(",'vcpus':2" + more);
    tables(u);
  }

  private static void assertRefused(GuestUnit u, String record, String errno) {
    String before = u.daemon().digest();
    Answer answer = load(u, record);
    assertThat(answer.at("/errno")).as("%s", answer.body()).isEqualTo(errno);
    assertThat(u.daemon().digest()).isEqualTo(before);
  }

  private static String changed(String record, int offset, String bytes) {
    return record.substring(0, 2 * offset) + bytes + record.substring(2 * offset + bytes.length());
  }

  @Override
  public Stream<Row<GuestTranslation>> rows() {
    return Stream.of(interrupts(), translation(), refusals()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestTranslation>> interrupts() {
    return Stream.of(
        row(
            "17 the record has the flags, the table and the registers",
            g -> {
              remapping(g.unit(), "'type':'intel_vtd'");
              JsonNode record = g.unit().view("/record");
              assertThat(record.get("type").asInt()).isEqualTo(21);
              assertThat(record.get("length").asInt()).isEqualTo(24 + 0xd0);
              String bytes = record.get("record").asText();
              // eim and intremap, fault_index 0, irt_max_entry 16, irt 0x20.
              assertThat(bytes).startsWith("03000000" + "00000000" + "10000000" + "00000000");
              assertThat(bytes.substring(32, 48)).isEqualTo("2000000000000000");
              assertThat(bytes.substring(48, 56)).isEqualTo("10000000");
              int status = 2 * (24 + GSTS);
              assertThat(bytes.substring(status, status + 8)).isEqualTo("00000007");
            }),
        row(
            "17 after a restore on another host interrupts still land",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              u.submit(0x4, 0);
              String record = save(u);
              moved(u, ",'viommu':{'type':'intel_vtd'}");
              // Without remapping the message says itself where it goes.
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[0]");
              assertThat(load(u, record).status()).isEqualTo(200);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[1]");
              assertThat(u.read(GSTS, 4)).isEqualTo(Integer.toUnsignedLong(QIE | IRE | SIRTP));
              assertThat(u.read(IQH, 8)).isEqualTo(0x10);
              assertThat(save(u)).isEqualTo(record);
            }),
        row(
            "17 the queue goes on where it stood",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              u.submit(0x4, 0);
              String record = save(u);
              moved(u, ",'viommu':{'type':'intel_vtd'}");
              load(u, record);
              u.store(GuestUnit.QUEUE + 0x10, 0x5 | 1 << 5 | 1L << 32, STATUS);
              u.write(GuestUnit.IQT, 8, 0x20);
              assertThat(u.load(STATUS)).isEqualTo(1);
              assertThat(u.read(IQH, 8)).isEqualTo(0x20);
            }),
        row(
            "17 a fault that waits is still there, and the next one overflows",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              send(u, 7);
              String record = save(u);
              moved(u, ",'viommu':{'type':'intel_vtd'}");
              load(u, record);
              assertThat(u.faults().get(0).get("interruptIndex").asInt()).isEqualTo(7);
              send(u, 8);
              assertThat(u.read(FSTS, 4)).isEqualTo(3);
            }),
        row(
            "17 as shipped a tail that nobody has looked at goes along",
            g -> {
              GuestUnit u = g.unit();
              u.policies("'profile':'as-shipped'");
              remapping(u, "'type':'intel_vtd'");
              u.submitWait();
              String record = save(u);
              moved(u, ",'viommu':{'type':'intel_vtd'}");
              u.store(GuestUnit.QUEUE, 0x5 | 1 << 5 | 1L << 32, STATUS);
              load(u, record);
              assertThat(u.load(STATUS)).isZero();
              u.read(GuestUnit.VER, 4);
              assertThat(u.load(STATUS)).isEqualTo(1);
            }),
        row(
            "17 a snapshot of the machine has the unit in the middle of its work",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              u.daemon().post("/_sim/snapshots", "{\"name\":\"at-work\"}");
              String record = save(u);
              String digest = u.daemon().digest();
              u.write(GuestUnit.GCMD, 4, 0);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[0]");
              u.daemon().post("/_sim/snapshots/at-work/restore", "{}");
              assertThat(u.daemon().digest()).isEqualTo(digest);
              assertThat(save(u)).isEqualTo(record);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[1]");
            }));
  }

  private static Stream<Row<GuestTranslation>> translation() {
    return Stream.of(
        row(
            "17 a unit that translates has its devices on their shadows again",
            g -> {
              g.guest("");
              page(g);
              g.translate();
              assertThat(g.found(GuestTranslation.FIRST, IOVA)).isEqualTo(0xa);
              JsonNode saved = g.unit().view("/record");
              assertThat(saved.get("length").asInt()).isEqualTo(24 + 0x230);
              g.daemon().delete("/v1/domains/" + g.unit().guest());
              g.guest("");
              page(g);
              g.unit().store(GuestUnit.ROOT, GuestUnit.CONTEXT | 1, 0);
              assertThat(g.mode(0)).isEqualTo("default");
              assertThat(load(g.unit(), saved.get("record").asText()).status()).isEqualTo(200);
              assertThat(g.mode(0)).isEqualTo("shadow");
              assertThat(g.found(GuestTranslation.FIRST, IOVA)).isEqualTo(0xa);
              assertThat(g.found(GuestTranslation.FIRST, PAGE)).isEqualTo(-1);
            }));
  }

  private static void page(GuestTranslation g) {
    g.mark(PAGE, 0xa);
    g.map(GuestTranslation.ONE, IOVA, PAGE, GuestTranslation.BOTH);
    g.context(GuestTranslation.FIRST_DEVFN, 1, GuestTranslation.ONE);
  }

  private static Stream<Row<GuestTranslation>> refusals() {
    return Stream.of(
        row(
            "17 without virtual IOMMU there is nothing to save, and loading fails",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              String record = save(u);
              moved(u, "");
              assertThat(u.view("/record").get("errno").asText()).isEqualTo("ENODEV");
              assertRefused(u, record, "ENODEV");
            }),
        row(
            "17 a bad record is refused, and nothing has changed",
            g -> {
              GuestUnit u = g.unit();
              remapping(u, "'type':'intel_vtd'");
              String record = save(u);
              assertRefused(u, "", "EINVAL");
              assertRefused(u, record + "00", "EINVAL");
              assertRefused(u, record.substring(2), "EINVAL");
              // An unknown flag; fault record 1; 3 entries; a frame that no address has.
              assertRefused(u, changed(record, 0, "07"), "EINVAL");
              assertRefused(u, changed(record, 4, "01"), "EINVAL");
              assertRefused(u, changed(record, 8, "03"), "EINVAL");
              assertRefused(u, changed(record, 16, "ffffffffffffffff"), "EINVAL");
              // Remapping by GSTS alone; another CAP; a register that there is not; IQH 0x1000.
              assertRefused(u, changed(record, 0, "01"), "EINVAL");
              assertRefused(u, changed(record, 24 + GuestUnit.CAP, "ff"), "EINVAL");
              assertRefused(u, changed(record, 24 + 0x60, "01"), "EINVAL");
              assertRefused(u, changed(record, 24 + IQH, "00100000"), "EINVAL");
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[1]");
            }),
        row(
            "17 the record of a unit that translates is none of one that does not",
            g -> {
              g.guest("");
              String record = save(g.unit());
              g.unit().guest(",'viommu':{'type':'intel_vtd'}");
              assertRefused(g.unit(), record, "EINVAL");
            }));
  }
}
