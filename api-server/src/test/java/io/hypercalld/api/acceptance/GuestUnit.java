package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.HexFormat;

/**
 * A guest that drives its virtual remapping unit, asked over HTTP: what the second document's
 * scenarios need. Its memory is laid out by hand: the queue at 0x10000, the root table at 0x11000,
 * the context table of bus 0 at 0x12000, the interrupt table at 0x20000, second-level tables from
 * 0x40000 on.
 */
final class GuestUnit implements GuestBehaviours.Guest {
  static final int VER = 0x00;
  static final int CAP = 0x08;
  static final int ECAP = 0x10;
  static final int GCMD = 0x18;
  static final int GSTS = 0x1c;
  static final int RTADDR = 0x20;
  static final int FSTS = 0x34;
  static final int FECTL = 0x38;
  static final int IQH = 0x80;
  static final int IQT = 0x88;
  static final int IQA = 0x90;
  static final int IRTA = 0xb8;

  static final int TE = 1 << 31;
  static final int SRTP = 1 << 30;
  static final int QIE = 1 << 26;
  static final int IRE = 1 << 25;
  static final int SIRTP = 1 << 24;

  static final long BASE = 0xfed9_0000L;
  static final long QUEUE = 0x1_0000;
  static final long ROOT = 0x1_1000;
  static final long CONTEXT = 0x1_2000;
  static final long STATUS = 0x1_3000;
  static final long INTERRUPTS = 0x2_0000;

  private static final int DESCRIPTOR = 16;

  private final XenHost xen;
  private int guest;
  private int tail;

  GuestUnit(XenHost xen) {
    this.xen = xen;
  }

  XenHost xen() {
    return xen;
  }

  @Override
  public GuestUnit unit() {
    return this;
  }

  DaemonUnderTest daemon() {
    return xen.daemon();
  }

  int guest() {
    return guest;
  }

  /** No guests, and today's Xen. */
  void begin() {
    xen.clear();
    policies("'profile':'today','viommu':'off'");
    tail = 0;
  }

  void policies(String members) {
    Answer answer = daemon().patch("/v1/machine", quoted("{'policies':{%s}}".formatted(members)));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  /** An HVM guest of 16 MiB with what else its body says. */
  int guest(String more) {
    return guest("16MiB", more);
  }

  /** The same of another size. */
  int guest(String memory, String more) {
    create("'type':'hvm','memory':'%s'%s".formatted(memory, more));
    daemon().post("/v1/domains/%d/actions/unpause".formatted(guest), "{}");
    return guest;
  }

  /** The same, not let run yet. */
  void pausedGuest(String more) {
    create("'type':'hvm','memory':'16MiB'" + more);
  }

  private void create(String members) {
    Answer created = tryGuest(members);
    assertThat(created.status()).as("%s", created.body()).isEqualTo(201);
    guest = created.body().get("domid").asInt();
  }

  /** The guest with a unit. */
  int unit(String members) {
    return guest(",'viommu':{" + members + "}");
  }

  Answer tryGuest(String members) {
    return daemon().post("/v1/domains", quoted("{%s}".formatted(members)));
  }

  static String quoted(String text) {
    return text.replace('\'', '"');
  }

  /** The hypercall. */
  long op(int cmd, String more) {
    return xen.ret("domctl", "viommu_op", "{'domain':%d,'cmd':%d%s}".formatted(guest, cmd, more));
  }

  JsonNode view(String what) {
    return daemon().get("/v1/domains/%d/viommu%s".formatted(guest, what)).body();
  }

  /** The guest's processor reads a register. */
  long read(int offset, int size) {
    Answer answer = access("{'gpa':'0x%x','op':'read','size':%d}".formatted(BASE + offset, size));
    assertThat(answer.at("/outcome")).as("%s", answer.body()).isEqualTo("emulated");
    return Long.parseUnsignedLong(answer.at("/data").substring(2), 16);
  }

  /** The guest's processor writes a register. */
  void write(int offset, int size, long value) {
    Answer answer =
        access(
            "{'gpa':'0x%x','op':'write','size':%d,'data':'0x%x'}"
                .formatted(BASE + offset, size, value));
    assertThat(answer.at("/outcome")).as("%s", answer.body()).isEqualTo("emulated");
  }

  private Answer access(String body) {
    return daemon().post("/v1/domains/%d/vcpus/0/access".formatted(guest), quoted(body));
  }

  void command(int bits) {
    int kept = (int) read(GSTS, 4) & ~(SRTP | SIRTP);
    write(GCMD, 4, Integer.toUnsignedLong(kept | bits));
  }

  /** Stores words in the guest's memory. */
  void store(long gpa, long... words) {
    StringBuilder hex = new StringBuilder();
    for (long word : words) {
      hex.append(HexFormat.of().toHexDigits(Long.reverseBytes(word)));
    }
    Answer answer =
        daemon()
            .put(
                "/v1/domains/%d/memory?gpa=0x%x".formatted(guest, gpa),
                quoted("{'data':'%s'}".formatted(hex)));
    assertThat(answer.status()).as("%s", answer.body()).isLessThan(300);
  }

  /** A word of the guest's memory. */
  long load(long gpa) {
    String hex =
        daemon().get("/v1/domains/%d/memory?gpa=0x%x&length=8".formatted(guest, gpa)).at("/data");
    return Long.reverseBytes(Long.parseUnsignedLong(hex, 16));
  }

  /** Turns the queue on. */
  void enableQueue() {
    write(IQA, 8, QUEUE);
    write(IQT, 8, 0);
    command(QIE);
    tail = 0;
  }

  /** Puts a descriptor into the queue and advances the tail. */
  void submit(long lo, long hi) {
    store(QUEUE + tail, lo, hi);
    tail = (tail + DESCRIPTOR) % 0x1000;
    write(IQT, 8, tail);
  }

  /** A wait that stores 1 at {@link #STATUS}. */
  void submitWait() {
    store(STATUS, 0);
    submit(0x5 | 1 << 5 | 1L << 32, STATUS);
  }

  /** What the unit has recorded for the guest. */
  JsonNode faults() {
    return view("/faults").get("items");
  }
}
