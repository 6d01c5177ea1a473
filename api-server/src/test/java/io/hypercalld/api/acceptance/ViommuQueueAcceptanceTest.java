package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.CAP;
import static io.hypercalld.api.acceptance.GuestUnit.FECTL;
import static io.hypercalld.api.acceptance.GuestUnit.FSTS;
import static io.hypercalld.api.acceptance.GuestUnit.GSTS;
import static io.hypercalld.api.acceptance.GuestUnit.IQH;
import static io.hypercalld.api.acceptance.GuestUnit.IQT;
import static io.hypercalld.api.acceptance.GuestUnit.QUEUE;
import static io.hypercalld.api.acceptance.GuestUnit.STATUS;
import static io.hypercalld.api.acceptance.GuestUnit.VER;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.RemappedGuest.REQUESTER;
import static io.hypercalld.api.acceptance.RemappedGuest.entry;
import static io.hypercalld.api.acceptance.RemappedGuest.remapping;
import static io.hypercalld.api.acceptance.RemappedGuest.send;
import static io.hypercalld.api.acceptance.RemappedGuest.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;

/**
 * The scenarios of the document on virtual IOMMUs that concern the queue: S1-D12, 2.4 rows 7, 8.
 */
final class ViommuQueueAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final String UNIT = "'type':'intel_vtd'";
  private static final long IEC = 0x4;
  private static final long WAIT_STATUS = 0x5 | 1 << 5 | 1L << 32;
  private static final long WAIT_EVENT = 0x5 | 1 << 4;
  private static final int IQE = 1 << 4;
  private static final int ICS = 0x9c;
  private static final int IECTL = 0xa0;
  private static final int IEDATA = 0xa4;
  private static final int IEADDR = 0xa8;
  private static final int IQERCD = 0xb0;
  private static final int TYPE_INVALID = 3;
  private static final int RESERVED_SET = 4;

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(draining(), asShipped(), errors(), events()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestUnit>> draining() {
    return Stream.of(
        row(
            "7 after an invalidation and a wait any register that is read finds them done",
            u -> {
              for (int register : new int[] {VER, CAP, GSTS, FSTS, IQH, FECTL}) {
                started(u);
                u.read(register, 4);
                assertDrained(u, 0x20);
                u.begin();
              }
            }),
        row(
            "7 a guest that polls its memory alone sees the status, too",
            u -> {
              started(u);
              assertThat(u.load(STATUS)).isEqualTo(1);
            }),
        row(
            "7 the ring wraps: 256 descriptors of a page, one of which stays unused",
            u -> {
              u.unit(UNIT);
              u.enableQueue();
              for (int slot = 0; slot < 255; slot++) {
                u.submit(IEC, 0);
              }
              assertThat(u.read(IQH, 8)).isEqualTo(0xff0);
              u.submitWait();
              assertDrained(u, 0);
            }));
  }

  private static Stream<Row<GuestUnit>> asShipped() {
    return Stream.of(
        row(
            "7 as shipped and with no register read the status is never written",
            u -> {
              u.policies("'profile':'as-shipped'");
              started(u);
              // Neither by polling, nor by stores to registers, nor by interrupts, nor by time.
              for (int poll = 0; poll < 100; poll++) {
                assertThat(u.load(STATUS)).isZero();
              }
              u.write(FECTL, 4, 0);
              send(u, 5);
              u.daemon().post("/_sim/clock", "{\"advanceNanos\":1000000000}");
              u.submit(IEC, 0);
              assertThat(u.load(STATUS)).isZero();
            }),
        row(
            "7 as shipped whatever register is read has the queue drained",
            u -> {
              u.policies("'profile':'as-shipped'");
              for (int register : new int[] {VER, CAP, GSTS, FSTS, IQH, FECTL}) {
                started(u);
                assertThat(u.load(STATUS)).isZero();
                u.read(register, 4);
                assertDrained(u, 0x20);
                u.daemon().delete("/v1/domains/" + u.guest());
              }
            }),
        row(
            "7 as shipped an access that is no register's drains nothing",
            u -> {
              u.policies("'profile':'as-shipped'");
              started(u);
              assertThat(u.read(VER, 2)).isZero();
              assertThat(u.load(STATUS)).isZero();
            }),
        row(
            "7 as shipped an entry is forgotten only when a register is read",
            u -> {
              u.policies("'profile':'as-shipped'");
              remapping(u);
              entry(u, 5, 1, 0x51, 1, REQUESTER);
              send(u, 5);
              entry(u, 5, 0, 0x52, 1, REQUESTER);
              u.submit(IEC, 0);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[1]");
              u.read(VER, 4);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[0]");
            }));
  }

  private static Stream<Row<GuestUnit>> errors() {
    return Stream.of(
        row(
            "8 of a unit of interrupts every other type is unsupported",
            u -> {
              for (int type : new int[] {0, 1, 2, 3, 6, 7, 8, 9, 10, 15}) {
                stopped(u, type, 0);
                assertThat(u.read(IQERCD, 8) & 0xf).as("type %d", type).isEqualTo(TYPE_INVALID);
                u.begin();
              }
            }),
        row(
            "8 IQH points at the descriptor, and later ones wait until it is mended and IQE"
                + " cleared",
            u -> {
              stopped(u, 0xf, 0);
              // The tail may be stored; nothing is fetched.
              u.submit(IEC, 0);
              assertThat(u.read(IQH, 8)).isEqualTo(0x10);
              assertThat(u.load(STATUS)).isZero();
              u.store(QUEUE + 0x10, IEC, 0);
              assertThat(u.load(STATUS)).isZero();
              u.write(FSTS, 4, IQE);
              assertThat(u.read(FSTS, 4)).isZero();
              assertDrained(u, 0x40);
            }),
        row(
            "8 cleared but not mended, it stops there again",
            u -> {
              stopped(u, 0xf, 0);
              u.write(FSTS, 4, IQE);
              assertThat(u.read(FSTS, 4)).isEqualTo(IQE);
              assertThat(u.read(IQH, 8)).isEqualTo(0x10);
              assertThat(u.load(STATUS)).isZero();
            }),
        row(
            "8 of a unit that translates the same descriptors are carried out",
            u -> {
              u.unit(UNIT + ",'l2':true");
              u.enableQueue();
              u.submit(0x11, 0);
              u.submit(0x12, 0);
              u.submitWait();
              assertDrained(u, 0x30);
            }),
        row(
            "8 bits that must be zero stop the queue with a code of their own",
            u -> {
              stopped(u, IEC | 1 << 5, 0);
              assertThat(u.read(IQERCD, 8) & 0xf).isEqualTo(RESERVED_SET);
            }),
        row(
            "8 as shipped it stops when a register is read",
            u -> {
              u.policies("'profile':'as-shipped'");
              u.unit(UNIT);
              u.enableQueue();
              u.submit(0xf, 0);
              u.submitWait();
              assertThat(u.read(FSTS, 4)).isEqualTo(IQE);
              assertThat(u.read(IQH, 8)).isZero();
              assertThat(u.load(STATUS)).isZero();
            }),
        row(
            "a status that lies in no memory of the guest stops the queue",
            u -> {
              u.unit(UNIT);
              u.enableQueue();
              u.submit(WAIT_STATUS, 0x4000_0000L);
              assertThat(u.read(FSTS, 4)).isEqualTo(IQE);
            }));
  }

  private static Stream<Row<GuestUnit>> events() {
    return Stream.of(
        row(
            "8 the error is a condition of the fault event, which the guest gets once",
            u -> {
              u.guest(",'vcpus':2,'viommu':{'type':'intel_vtd'}");
              u.write(0x3c, 4, 0x61);
              u.write(0x40, 4, 0xfee0_2000L);
              u.write(FECTL, 4, 0);
              u.enableQueue();
              u.submit(0xf, 0);
              assertThat(waiting(u, 1)).isEqualTo("[97]");
              assertThat(waiting(u, 0)).isEqualTo("[]");
            }),
        row(
            "a wait that asks for it has the guest interrupted, masked only once it is unmasked",
            u -> {
              u.guest(",'vcpus':2,'viommu':{'type':'intel_vtd'}");
              u.write(IEDATA, 4, 0x62);
              u.write(IEADDR, 4, 0xfee0_2000L);
              u.enableQueue();
              u.submit(WAIT_EVENT, 0);
              assertThat(u.read(ICS, 4)).isEqualTo(1);
              assertThat(waiting(u, 1)).isEqualTo("[]");
              assertThat(u.read(IECTL, 4)).isEqualTo(0xc000_0000L);
              u.write(IECTL, 4, 0);
              assertThat(waiting(u, 1)).isEqualTo("[98]");
              u.write(ICS, 4, 1);
              assertThat(u.read(ICS, 4)).isZero();
            }));
  }

  /** A guest whose queue has an invalidation and a wait. */
  private static void started(GuestUnit u) {
    u.unit(UNIT);
    u.enableQueue();
    u.submit(IEC, 0);
    u.submitWait();
  }

  private static void assertDrained(GuestUnit u, int tail) {
    assertThat(u.read(IQH, 8)).isEqualTo(tail).isEqualTo(u.read(IQT, 8));
    assertThat(u.load(STATUS)).isEqualTo(1);
  }

  /** A guest whose queue has one good descriptor, one bad one at 0x10, and a wait. */
  private static void stopped(GuestUnit u, long lo, long hi) {
    u.unit(UNIT);
    u.enableQueue();
    u.submit(IEC, 0);
    u.submit(lo, hi);
    u.submitWait();
    assertThat(u.read(FSTS, 4)).isEqualTo(IQE);
    assertThat(u.read(IQH, 8)).isEqualTo(0x10);
    assertThat(u.load(STATUS)).isZero();
  }
}
