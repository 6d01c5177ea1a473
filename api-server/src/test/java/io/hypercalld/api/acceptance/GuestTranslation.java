package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.CONTEXT;
import static io.hypercalld.api.acceptance.GuestUnit.ROOT;
import static io.hypercalld.api.acceptance.GuestUnit.RTADDR;
import static io.hypercalld.api.acceptance.GuestUnit.SRTP;
import static io.hypercalld.api.acceptance.GuestUnit.TE;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** A guest that translates the requests of its devices, asked over HTTP. */
final class GuestTranslation implements GuestBehaviours.Guest {
  /** A guest frame that nothing else uses. */
  private static final long PAGER_RING = 0x700;

  /** Two virtual functions behind a unit with every leaf size, and where the guest sees them. */
  static final String FIRST = "0000:03:10.0";

  static final String SECOND = "0000:03:10.2";
  static final int FIRST_DEVFN = 0x20;
  static final int SECOND_DEVFN = 0x28;

  static final int READ = 1;
  static final int WRITE = 2;
  static final int BOTH = 3;

  /** Top tables of the guest's two I/O domains; the tables below follow. */
  static final long ONE = 0x4_0000;

  static final long TWO = 0x5_0000;

  /** Two pages of the guest's, and the address at which devices find the first. */
  static final long PAGE_A = 0x80_0000;

  static final long PAGE_B = 0x80_1000;
  static final long IOVA = 0x1000;

  private static final int PAGE = 0x1000;
  private static final int LARGE = 0x80;

  private final GuestUnit unit;

  GuestTranslation(XenHost xen) {
    this.unit = new GuestUnit(xen);
  }

  @Override
  public GuestUnit unit() {
    return unit;
  }

  DaemonUnderTest daemon() {
    return unit.daemon();
  }

  /** A guest of 16 MiB with a unit that translates, and one device. */
  void guest(String more) {
    guest(more, "");
  }

  /** The same with policies. */
  void guest(String more, String policies) {
    unit.guest(",'viommu':{'l2':true%s}%s".formatted(more, policies));
    assign(FIRST, "00:04.0");
  }

  void assign(String sbdf, String place) {
    Answer answer =
        daemon()
            .put(
                "/v1/devices/%s/assignment".formatted(sbdf),
                quoted("{'domain':%d,'guestBdf':'%s'}".formatted(unit.guest(), place)));
    assertThat(answer.status()).as("%s", answer.body()).isLessThan(300);
  }

  /** Empty tables, the queue, and translation on. */
  void translate() {
    unit.store(ROOT, CONTEXT | 1, 0);
    unit.enableQueue();
    unit.write(RTADDR, 8, ROOT);
    unit.command(SRTP);
    unit.command(TE);
  }

  /** One device, one page; the pages have marks 0xa and 0xb. */
  void onePage() {
    mark(PAGE_A, 0xa);
    mark(PAGE_B, 0xb);
    map(ONE, IOVA, PAGE_A, BOTH);
    context(FIRST_DEVFN, 1, ONE);
    translate();
  }

  /** Has a device use tables of three levels. */
  void context(int devfn, int domainId, long top) {
    unit.store(CONTEXT + devfn * 16L, top | 1, 1 | (long) domainId << 8);
  }

  /** Maps a page through three levels of tables from the top one on. */
  void map(long top, long iova, long gpa, int permission) {
    unit.store(top + (iova >>> 30) * 8, (top + PAGE) | BOTH);
    unit.store(top + PAGE + (iova >>> 21 & 511) * 8, (top + 2 * PAGE) | BOTH);
    unit.store(top + 2 * PAGE + (iova >>> 12 & 511) * 8, gpa | permission);
  }

  /** Maps 2 MiB by one leaf. */
  void mapLarge(long top, long iova, long gpa, int permission) {
    unit.store(top + (iova >>> 30) * 8, (top + PAGE) | BOTH);
    unit.store(top + PAGE + (iova >>> 21 & 511) * 8, gpa | LARGE | permission);
  }

  /** Forgets all context entries. */
  void forgetContexts() {
    unit.submit(0x11, 0);
  }

  /** Forgets all translations. */
  void forgetTranslations() {
    unit.submit(0x12, 0);
  }

  /** Forgets a domain's translations. */
  void forgetDomain(int domainId) {
    unit.submit(0x22 | (long) domainId << 16, 0);
  }

  /** Forgets one page. */
  void forgetPage(int domainId, long iova) {
    unit.submit(0x32 | (long) domainId << 16, iova);
  }

  JsonNode read(String sbdf, long iova) {
    return dma(sbdf, "{'op':'read','address':'0x%x','length':8}".formatted(iova));
  }

  JsonNode write(String sbdf, long iova, String data) {
    return dma(sbdf, "{'op':'write','address':'0x%x','data':'%s'}".formatted(iova, data));
  }

  private JsonNode dma(String sbdf, String body) {
    Answer answer = daemon().post("/v1/devices/%s/dma".formatted(sbdf), quoted(body));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  /** Puts a mark at the start of a guest page. */
  void mark(long gpa, long mark) {
    unit.store(gpa, mark);
  }

  /** The mark that a device finds; -1 where it is blocked. */
  long found(String sbdf, long iova) {
    JsonNode answer = read(sbdf, iova);
    return answer.get("outcome").asText().equals("done")
        ? Long.reverseBytes(Long.parseUnsignedLong(answer.get("data").asText(), 16))
        : -1;
  }

  String mode(int device) {
    return unit.view("").at("/devices/%d/mode".formatted(device)).asText();
  }

  long cost(String pointer) {
    return unit.view("").at("/counters/" + pointer).asLong();
  }

  JsonNode shadow() {
    return unit.view("/shadow?diff=true");
  }

  /** Has an ioreq server claim a page of the guest's. */
  void claim(long gpa) {
    String servers = "/v1/domains/%d/ioreq-servers".formatted(unit.guest());
    daemon().post(servers, "{}");
    assertThat(daemon().patch(servers + "/0", "{\"claimsPages\":true}").status()).isEqualTo(200);
    unit.xen()
        .done(
            "dm_op",
            "set_mem_type",
            "{'domid':%d,'mem_type':4,'nr':1,'first_pfn':'0x%x'}"
                .formatted(unit.guest(), gpa >>> 12));
  }

  /** Takes a page of the guest's away. */
  void balloonOut(long gpa) {
    assertThat(
            unit.xen()
                .ret(
                    "memory_op",
                    "decrease_reservation",
                    "{'domid':%d,'extent_start':['0x%x'],'extent_order':0}"
                        .formatted(unit.guest(), gpa >>> 12)))
        .isEqualTo(1);
  }

  /** Gives a page back. */
  void balloonIn(long gpa) {
    assertThat(
            unit.xen()
                .ret(
                    "memory_op",
                    "populate_physmap",
                    "{'domid':%d,'extent_start':['0x%x'],'extent_order':0}"
                        .formatted(unit.guest(), gpa >>> 12)))
        .isEqualTo(1);
  }

  /** Has the pager take a page away. */
  void pageOut(long gpa) {
    unit.xen()
        .done(
            "hvm_op",
            "set_param",
            "{'domid':%d,'index':27,'value':'0x%x'}".formatted(unit.guest(), PAGER_RING));
    unit.xen()
        .done("domctl", "vm_event_op", "{'domain':%d,'op':0,'mode':1}".formatted(unit.guest()));
    page(0, gpa, "");
    page(1, gpa, "");
  }

  /** Has the pager bring a page back that has a byte at its beginning. */
  void pageIn(long gpa, int mark) {
    page(2, gpa, ",'buffer':'%02x%s'".formatted(mark, "00".repeat(4095)));
  }

  private void page(int op, long gpa, String more) {
    unit.xen()
        .done(
            "memory_op",
            "paging_op",
            "{'op':%d,'domain':%d,'gfn':'0x%x'%s}".formatted(op, unit.guest(), gpa >>> 12, more));
  }
}
