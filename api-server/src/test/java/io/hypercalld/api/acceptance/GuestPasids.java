package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.CONTEXT;
import static io.hypercalld.api.acceptance.GuestUnit.IQA;
import static io.hypercalld.api.acceptance.GuestUnit.IQT;
import static io.hypercalld.api.acceptance.GuestUnit.QIE;
import static io.hypercalld.api.acceptance.GuestUnit.QUEUE;
import static io.hypercalld.api.acceptance.GuestUnit.ROOT;
import static io.hypercalld.api.acceptance.GuestUnit.RTADDR;
import static io.hypercalld.api.acceptance.GuestUnit.SRTP;
import static io.hypercalld.api.acceptance.GuestUnit.TE;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/**
 * A guest that drives its virtual remapping unit in scalable mode, asked over HTTP. Beside what
 * {@link GuestUnit} lays out, each of its devices has a PASID directory at 0x14000 and on, and a
 * table of PASIDs 0 to 63 at 0x18000 and on; first-level tables are from 0x40000 on, second-level
 * ones from 0x80000 on.
 */
final class GuestPasids implements GuestBehaviours.Guest {
  /** Two virtual functions behind a unit that nests, and where the guest sees them. */
  static final String FIRST = "0000:03:10.0";

  static final String SECOND = "0000:03:10.2";
  static final int FIRST_DEVFN = 0x20;
  static final int SECOND_DEVFN = 0x28;

  /** Top tables; the tables below follow. */
  static final long ONE = 0x4_0000;

  static final long TWO = 0x5_0000;
  static final long BELOW = 0x8_0000;

  private static final long DIRECTORY = 0x1_4000;
  private static final long PASIDS = 0x1_8000;
  private static final int PAGE = 0x1000;
  private static final int PASID_ENABLED = 1 << 3;
  private static final int USER_WRITABLE = 7;
  private static final int BOTH = 3;
  private static final int FOUR_LEVELS = 2 << 2;

  private final GuestUnit unit;
  private int tail;

  GuestPasids() {
    this.unit = new GuestUnit(XenHost.on(PlatformSource.named("scalable").load().platform()));
  }

  @Override
  public GuestUnit unit() {
    return unit;
  }

  DaemonUnderTest daemon() {
    return unit.daemon();
  }

  /** A guest of 16 MiB with a unit in scalable mode, and one device. */
  void guest(String more, String policies) {
    guest("16MiB", more, policies);
  }

  /** The same of another size. */
  void guest(String memory, String more, String policies) {
    unit.guest(memory, ",'viommu':{'l1':true%s}%s".formatted(more, policies));
    assertThat(assign(FIRST, "00:04.0").status()).isLessThan(300);
  }

  Answer assign(String sbdf, String place) {
    return daemon()
        .put(
            "/v1/devices/%s/assignment".formatted(sbdf),
            quoted("{'domain':%d,'guestBdf':'%s'}".formatted(unit.guest(), place)));
  }

  /** Where a device's PASID table is. */
  private static long pasids(int devfn) {
    return PASIDS + (devfn - FIRST_DEVFN) / 8L * PAGE;
  }

  /** Both devices' context entries and directories, the queue, and translation on. */
  void translate() {
    unit.store(ROOT, CONTEXT | 1);
    context(FIRST_DEVFN, 0);
    context(SECOND_DEVFN, 0);
    switchOn();
  }

  void switchOn() {
    unit.write(IQA, 8, QUEUE | 1 << 11);
    unit.write(IQT, 8, 0);
    unit.command(QIE);
    tail = 0;
    unit.write(RTADDR, 8, ROOT | 1 << 10);
    unit.command(SRTP);
    unit.command(TE);
  }

  /** A device's context entry, with the least directory; bits beside P and PASIDE. */
  void context(int devfn, int more) {
    long directory = DIRECTORY + (devfn - FIRST_DEVFN) / 8L * PAGE;
    unit.store(directory, pasids(devfn) | 1);
    unit.store(CONTEXT + devfn * 32L, directory | 1 | PASID_ENABLED | more, 0, 0, 0);
  }

  void pasid(int devfn, int pasid, long q0, long q1, long q2) {
    unit.store(pasids(devfn) + pasid * 64L, q0, q1, q2);
  }

  void firstLevel(int devfn, int pasid, int domainId, long top) {
    pasid(devfn, pasid, 1 | 1 << 6, domainId, top);
  }

  void secondLevel(int devfn, int pasid, int domainId, long top) {
    pasid(devfn, pasid, 1 | 2 << 6 | FOUR_LEVELS | top, domainId, 0);
  }

  void nested(int devfn, int pasid, int domainId, long top) {
    pasid(devfn, pasid, 1 | 3 << 6 | FOUR_LEVELS | BELOW, domainId, top);
  }

  void passThrough(int devfn, int pasid, int domainId) {
    pasid(devfn, pasid, 1 | 4 << 6, domainId, 0);
  }

  void absent(int devfn, int pasid) {
    pasid(devfn, pasid, 0, 0, 0);
  }

  /** Maps a page through four levels of first-level tables from the top one on. */
  void map(long top, long gva, long gpa) {
    levels(top, gva, USER_WRITABLE);
    unit.store(leaf(top, gva), gpa | USER_WRITABLE);
  }

  /** The same where second-level tables have the tables so much higher. */
  void map(long top, long gva, long gpa, long shift) {
    for (int level = 4; level > 1; level--) {
      long table = top + (4L - level) * PAGE;
      long index = gva >>> (12 + 9 * (level - 1)) & 511;
      unit.store(table + index * 8, shift + table + PAGE | USER_WRITABLE);
    }
    unit.store(leaf(top, gva), gpa | USER_WRITABLE);
  }

  /** Has one tree of second-level tables use another's lowest table for an address. */
  void shareTop(long top, long other, long iova) {
    long index = iova >>> 21 & 511;
    unit.store(top + 2L * PAGE + index * 8, other + 3L * PAGE | BOTH);
  }

  /** Maps a page through four levels of second-level tables. */
  void mapBelow(long top, long iova, long gpa) {
    levels(top, iova, BOTH);
    unit.store(leaf(top, iova), gpa | BOTH);
  }

  void unmap(long top, long gva) {
    unit.store(leaf(top, gva), 0);
  }

  private void levels(long top, long address, int rights) {
    for (int level = 4; level > 1; level--) {
      long table = top + (4L - level) * PAGE;
      long index = address >>> (12 + 9 * (level - 1)) & 511;
      unit.store(table + index * 8, table + PAGE | rights);
    }
  }

  private static long leaf(long top, long address) {
    return top + 3 * PAGE + (address >>> 12 & 511) * 8;
  }

  /** Puts a descriptor into the queue and advances the tail. */
  void submit(long lo, long hi) {
    unit.store(QUEUE + tail, lo, hi, 0, 0);
    tail = (tail + 32) % PAGE;
    unit.write(IQT, 8, tail);
  }

  void forgetContexts() {
    submit(0x11, 0);
  }

  void forgetTranslations(int domainId) {
    submit(0x22 | (long) domainId << 16, 0);
  }

  /** Has one PASID's entries forgotten. */
  void forgetPasid(int domainId, int pasid) {
    submit(0x17 | (long) domainId << 16 | (long) pasid << 32, 0);
  }

  void forgetPasids() {
    submit(0x37, 0);
  }

  /** Has one page of a PASID's forgotten. */
  void forgetPage(int domainId, int pasid, long gva) {
    submit(0x36 | (long) domainId << 16 | (long) pasid << 32, gva);
  }

  /** Has all of a PASID's translations forgotten. */
  void forgetSpace(int domainId, int pasid) {
    submit(0x26 | (long) domainId << 16 | (long) pasid << 32, 0);
  }

  /** Has a device forget one page of a PASID's. */
  void forgetOfDevice(int sid, int pasid, long gva) {
    submit(0x8 | (long) sid << 16 | (long) pasid << 32, gva);
  }

  JsonNode read(String sbdf, int pasid, long gva) {
    return dma(sbdf, "{'op':'read','address':'0x%x','length':8,'pasid':%d}".formatted(gva, pasid));
  }

  JsonNode readPlain(String sbdf, long address) {
    return dma(sbdf, "{'op':'read','address':'0x%x','length':8}".formatted(address));
  }

  private JsonNode dma(String sbdf, String body) {
    Answer answer = daemon().post("/v1/devices/%s/dma".formatted(sbdf), quoted(body));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  /** The mark that a device finds; -1 where it is blocked. */
  long found(String sbdf, int pasid, long gva) {
    return mark(read(sbdf, pasid, gva));
  }

  static long mark(JsonNode answer) {
    return answer.get("outcome").asText().equals("done")
        ? Long.reverseBytes(Long.parseUnsignedLong(answer.get("data").asText(), 16))
        : -1;
  }

  JsonNode explain(String sbdf, int pasid, long gva) {
    return daemon()
        .get("/v1/explain/dma?sbdf=%s&iova=0x%x&access=read&pasid=%d".formatted(sbdf, gva, pasid))
        .body();
  }

  /** PASID 5 of the first device of a guest: a page of first-level tables leads to one mark. */
  void pasid5() {
    pasid5("");
  }

  /** The same of a unit with further settings. */
  void pasid5(String more) {
    guest(more, "");
    unit.store(0x80_0000, 0xa);
    unit.store(0x80_1000, 0xb);
    map(ONE, 0x7f12_3456_7000L, 0x80_0000);
    firstLevel(FIRST_DEVFN, 5, 1, ONE);
    translate();
  }

  /** What the machine's unit has for a PASID of the first device. */
  JsonNode space(int pasid) {
    for (JsonNode space : entry(FIRST).get("pasids")) {
      if (space.get("pasid").asInt() == pasid) {
        return space;
      }
    }
    throw new AssertionError("no PASID " + pasid);
  }

  /** The two walks of an address that the unit remembers. */
  JsonNode walk(long gva) {
    for (JsonNode walk : unit.view("/shadow?diff=true").get("walks")) {
      if (walk.get("iova").asText().equals("0x%x".formatted(gva))) {
        return walk;
      }
    }
    throw new AssertionError("no walk of 0x%x".formatted(gva));
  }

  long deviceTlbFlushes() {
    return daemon().get("/v1/iommus/0/counters").body().at("/flushes/deviceTlb").asLong();
  }

  /** How the guest's n-th device is translated. */
  JsonNode device(int index) {
    return unit.view("").at("/devices/" + index);
  }

  String mode() {
    return device(0).get("mode").asText();
  }

  /** What the machine's unit has for a device. */
  JsonNode entry(String sbdf) {
    for (JsonNode entry :
        daemon().get("/v1/iommus/0/context-entries?limit=10000").body().get("items")) {
      if (entry.get("sbdf").asText().equals(sbdf)) {
        return entry;
      }
    }
    return daemon().get("/v1/iommus/0").body();
  }

  long entryReads() {
    return daemon().get("/v1/iommus/0/counters").body().at("/walkReads").asLong();
  }

  long cost(String pointer) {
    return unit.view("").at("/counters/" + pointer).asLong();
  }

  /** Takes a page of the guest's away, or gives it back. */
  void balloon(String op, long gpa) {
    assertThat(
            unit.xen()
                .ret(
                    "memory_op",
                    op,
                    "{'domid':%d,'extent_start':['0x%x'],'extent_order':0}"
                        .formatted(unit.guest(), gpa >>> 12)))
        .isEqualTo(1);
  }

  void runOutOfMemory() {
    Answer set =
        daemon()
            .post(
                "/_sim/faults",
                quoted("{'id':'full','when':{'skip':0},'effect':{'errno':'ENOMEM'}}"));
    assertThat(set.status()).as("%s", set.body()).isLessThan(300);
  }

  void haveMemoryAgain() {
    assertThat(daemon().delete("/_sim/faults/full").status()).isEqualTo(204);
  }
}
