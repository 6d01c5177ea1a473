package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.FECTL;
import static io.hypercalld.api.acceptance.GuestUnit.FSTS;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.RemappedGuest.REQUESTER;
import static io.hypercalld.api.acceptance.RemappedGuest.entry;
import static io.hypercalld.api.acceptance.RemappedGuest.isa;
import static io.hypercalld.api.acceptance.RemappedGuest.message;
import static io.hypercalld.api.acceptance.RemappedGuest.pin;
import static io.hypercalld.api.acceptance.RemappedGuest.remapping;
import static io.hypercalld.api.acceptance.RemappedGuest.send;
import static io.hypercalld.api.acceptance.RemappedGuest.serve;
import static io.hypercalld.api.acceptance.RemappedGuest.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;

/** The scenarios of the document on virtual IOMMUs that concern interrupts. */
final class ViommuInterruptAcceptanceTest implements GuestBehaviours.OfUnit {
  private static final int FEDATA = 0x3c;
  private static final int FEADDR = 0x40;
  private static final int FEUADDR = 0x44;

  /** The fault record. */
  private static final int RECORD = 0xc0;

  /** Bits of an entry: present, fault processing disabled. */
  private static final long P = 1;

  private static final long FPD = 2;
  private static final long LEVEL = 1 << 4;
  private static final long IO_APIC = 0xff00;

  @Override
  public Stream<Row<GuestUnit>> rows() {
    return Stream.of(messages(), faults(), pins()).flatMap(rows -> rows);
  }

  private static Stream<Row<GuestUnit>> messages() {
    return Stream.of(
        row(
            "3 a remappable message reaches the vCPU of its entry, and nobody else",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P, REQUESTER);
              JsonNode sent = send(u, 5);
              assertThat(sent.get("outcome").asText()).isEqualTo("delivered");
              assertThat(sent.get("vcpus").toString()).isEqualTo("[1]");
              assertThat(waiting(u, 1)).isEqualTo("[81]");
              assertThat(waiting(u, 0)).isEqualTo("[]");
              assertThat(u.view("/interrupt-entries").at("/items/0/index").asInt()).isEqualTo(5);
            }),
        row(
            "a changed entry takes effect when the guest has the old one forgotten",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P, REQUESTER);
              send(u, 5);
              entry(u, 5, 0, 0x52, P, REQUESTER);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[1]");
              u.submit(0x4, 0);
              assertThat(send(u, 5).get("vcpus").toString()).isEqualTo("[0]");
            }),
        row(
            "a device model's message goes through the table, too",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P, REQUESTER);
              assertThat(
                      u.xen()
                          .ret(
                              "dm_op",
                              "inject_msi",
                              "{'domid':%d,'data':'0x0','addr':'0xfee000b0'}".formatted(u.guest())))
                  .isZero();
              assertThat(waiting(u, 1)).isEqualTo("[81]");
            }),
        row(
            "without remapping a message says itself where it goes",
            u -> {
              u.guest(",'vcpus':2,'viommu':{'type':'intel_vtd'}");
              JsonNode sent = message(u, 0xfee0_2000L, 0x31);
              assertThat(sent.get("vcpus").toString()).isEqualTo("[1]");
              assertThat(waiting(u, 1)).isEqualTo("[49]");
            }));
  }

  private static Stream<Row<GuestUnit>> faults() {
    return Stream.of(
        row(
            "4 an absent entry is recorded with one event, the next overflows in silence",
            u -> {
              remapping(u);
              u.write(FEDATA, 4, 0x60);
              u.write(FEADDR, 4, 0xfee0_0000L);
              u.write(FECTL, 4, 0);
              JsonNode sent = send(u, 7);
              assertThat(sent.at("/fault/reason").asText()).isEqualTo("0x22");
              JsonNode fault = u.faults().get(0);
              assertThat(fault.get("interruptIndex").asInt()).isEqualTo(7);
              assertThat(fault.get("sbdf").asText()).isEqualTo("0000:00:03.0");
              assertThat(u.read(FSTS, 4)).isEqualTo(2);
              assertThat(waiting(u, 0)).isEqualTo("[96]");
              serve(u, 0, "acknowledge");
              serve(u, 0, "end");
              send(u, 8);
              assertThat(u.read(FSTS, 4)).isEqualTo(3);
              assertThat(waiting(u, 0)).isEqualTo("[]");
            }),
        row(
            "4 an entry that disables fault processing is not recorded",
            u -> {
              remapping(u);
              entry(u, 7, 0, 0x40, FPD, 0);
              assertThat(send(u, 7).at("/fault/recorded").asBoolean()).isFalse();
              assertThat(u.faults()).isEmpty();
              assertThat(u.read(FSTS, 4)).isZero();
            }),
        row(
            "20h: bits that must be zero in a request, in its address and beside its subhandle",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P, 0);
              blocked(u, message(u, 0x1_fee0_00b0L, 0), "0x20", 0);
              blocked(u, message(u, 0xfee0_00b8L, 0x1_0000), "0x20", 0);
              // Without a subhandle the data do not count.
              assertThat(message(u, 0xfee0_00b0L, 0x1_0000).get("vcpus").toString())
                  .isEqualTo("[1]");
            }),
        row(
            "20h is recorded whatever an entry says of faults",
            u -> {
              remapping(u);
              entry(u, 0, 0, 0x40, P | FPD, 0);
              blocked(u, message(u, 0xfee0_0018L, 0x1_0000), "0x20", 0);
            }),
        row(
            "23h: the table lies where the guest has no memory",
            u -> {
              u.guest(",'vcpus':2,'viommu':{'type':'intel_vtd'}");
              u.write(GuestUnit.IRTA, 8, 0x4000_0000L | RemappedGuest.EIME | 3);
              u.command(GuestUnit.SIRTP);
              u.command(GuestUnit.IRE);
              blocked(u, send(u, 5), "0x23", 5);
            }),
        row(
            "24h: bits that must be zero in an entry, a reserved delivery, and postings",
            u -> {
              remapping(u);
              for (long wrong : new long[] {1 << 12, 1 << 24, 3 << 5, 1 << 15}) {
                entry(u, 5, 1, 0x51, P | wrong, REQUESTER);
                u.submit(0x4, 0);
                blocked(u, send(u, 5), "0x24", 5);
              }
            }),
        row(
            "24h and 22h stay out of the log where the entry says so, 21h and 25h do not",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P | FPD | 1 << 12, REQUESTER);
              entry(u, 6, 1, 0x51, P | FPD, REQUESTER + 8);
              assertThat(send(u, 5).at("/fault/reason").asText()).isEqualTo("0x24");
              assertThat(send(u, 6).at("/fault/reason").asText()).isEqualTo("0x26");
              assertThat(u.faults()).isEmpty();
              blocked(u, send(u, 16), "0x21", 16);
              blocked(u, message(u, 0xfee0_2000L, 0x31), "0x25", 0);
            }),
        row(
            "4 a masked event waits until it is unmasked, and is sent once",
            u -> {
              remapping(u);
              u.write(FEDATA, 4, 0x60);
              u.write(FEADDR, 4, 0xfee0_0000L);
              assertThat(u.read(FECTL, 4)).isEqualTo(0x8000_0000L);
              send(u, 7);
              assertThat(waiting(u, 0)).isEqualTo("[]");
              // IM and IP.
              assertThat(u.read(FECTL, 4)).isEqualTo(0xc000_0000L);
              u.write(FECTL, 4, 0);
              assertThat(waiting(u, 0)).isEqualTo("[96]");
              assertThat(u.read(FECTL, 4)).isZero();
            }),
        row(
            "the unit's own event reaches vCPU 287 by its upper address",
            u -> {
              u.guest(",'vcpus':288,'viommu':{'type':'intel_vtd'}");
              RemappedGuest.enable(u, 3);
              u.write(FEDATA, 4, 0x60);
              u.write(FEADDR, 4, 0xfee3_e000L);
              u.write(FEUADDR, 4, 0x200);
              u.write(FECTL, 4, 0);
              send(u, 7);
              assertThat(waiting(u, 287)).isEqualTo("[96]");
              assertThat(waiting(u, 31)).isEqualTo("[]");
            }),
        row(
            "5 of 16 entries 15 is the last",
            u -> {
              remapping(u);
              entry(u, 15, 1, 0x51, P, 0);
              entry(u, 16, 1, 0x52, P, 0);
              assertThat(send(u, 15).get("outcome").asText()).isEqualTo("delivered");
              assertThat(send(u, 16).at("/fault/reason").asText()).isEqualTo("0x21");
            }),
        row(
            "5 as shipped 16 is read behind the table, and 17 is not",
            u -> {
              u.policies("'profile':'as-shipped'");
              remapping(u);
              entry(u, 16, 1, 0x52, P, 0);
              assertThat(send(u, 16).get("vcpus").toString()).isEqualTo("[1]");
              assertThat(send(u, 17).at("/fault/reason").asText()).isEqualTo("0x21");
            }),
        row(
            "another requester's entry is refused, as shipped it is not",
            u -> {
              remapping(u);
              entry(u, 5, 1, 0x51, P, 0x20);
              assertThat(send(u, 5).at("/fault/reason").asText()).isEqualTo("0x26");
              u.begin();
              u.policies("'profile':'as-shipped'");
              remapping(u);
              entry(u, 5, 1, 0x51, P, 0x20);
              assertThat(send(u, 5).get("outcome").asText()).isEqualTo("delivered");
            }),
        row(
            "compatibility format is blocked, as shipped it is not",
            u -> {
              remapping(u);
              assertThat(message(u, 0xfee0_2000L, 0x31).at("/fault/reason").asText())
                  .isEqualTo("0x25");
              u.begin();
              u.policies("'profile':'as-shipped'");
              remapping(u);
              assertThat(message(u, 0xfee0_2000L, 0x31).get("vcpus").toString()).isEqualTo("[1]");
            }));
  }

  /** Blocked, and the guest's log says so; the guest then clears it. */
  private static void blocked(GuestUnit u, JsonNode sent, String reason, int index) {
    assertThat(sent.get("outcome").asText()).isEqualTo("blocked");
    assertThat(sent.at("/fault/reason").asText()).isEqualTo(reason);
    assertThat(sent.at("/fault/recorded").asBoolean()).isTrue();
    assertThat(u.faults()).hasSize(1);
    JsonNode fault = u.faults().get(0);
    assertThat(fault.get("reason").asText()).isEqualTo(reason);
    assertThat(fault.get("interruptIndex").asInt()).isEqualTo(index);
    assertThat(fault.get("sbdf").asText()).isEqualTo("0000:00:03.0");
    assertThat(u.read(FSTS, 4)).isEqualTo(2);
    u.write(RECORD + 12, 4, 0x8000_0000L);
    assertThat(u.read(FSTS, 4)).isZero();
  }

  private static Stream<Row<GuestUnit>> pins() {
    return Stream.of(
        row(
            "6 a pin's vector comes from its entry, and the end of interrupt finds it",
            u -> {
              remapping(u);
              entry(u, 9, 1, 0x71, P | LEVEL, IO_APIC);
              // Pin 4: level triggered, another vector than the entry's, index 9.
              pin(u, 4, 0x33 | 1 << 15 | 1L << 48 | 9L << 49);
              isa(u, 4, 1);
              assertThat(waiting(u, 1)).isEqualTo("[113]");
              assertThat(waiting(u, 0)).isEqualTo("[]");
              serve(u, 1, "acknowledge");
              assertThat(waiting(u, 1)).isEqualTo("[]");
              // Still asserted: it is sent again once it has ended.
              serve(u, 1, "end");
              assertThat(waiting(u, 1)).isEqualTo("[113]");
            }),
        row(
            "6 a pin whose entry is another requester's is blocked",
            u -> {
              remapping(u);
              entry(u, 9, 1, 0x71, P, REQUESTER);
              pin(u, 4, 0x71 | 1L << 48 | 9L << 49);
              isa(u, 4, 1);
              assertThat(waiting(u, 1)).isEqualTo("[]");
              JsonNode fault = u.faults().get(0);
              assertThat(fault.get("reason").asText()).isEqualTo("0x26");
              assertThat(fault.get("sbdf").asText()).isEqualTo("0000:ff:00.0");
            }));
  }
}
