package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.GuestUnit.INTERRUPTS;
import static io.hypercalld.api.acceptance.GuestUnit.IRE;
import static io.hypercalld.api.acceptance.GuestUnit.IRTA;
import static io.hypercalld.api.acceptance.GuestUnit.SIRTP;
import static io.hypercalld.api.acceptance.GuestUnit.quoted;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** What guests do with interrupts once their unit remaps them. Never instantiated. */
final class RemappedGuest {
  static final int EIME = 1 << 11;

  static final long CHECKED = 1L << 18;

  /** The emulated device 00:03.0. */
  static final long REQUESTER = 0x18;

  private RemappedGuest() {}

  /** A guest of two vCPUs whose table of 16 entries is in use. */
  static void remapping(GuestUnit u) {
    u.guest(",'vcpus':2,'viommu':{'type':'intel_vtd'}");
    enable(u, 3);
  }

  /** Turns remapping on, with 32-bit destinations and a table of 2^(size + 1) entries. */
  static void enable(GuestUnit u, int size) {
    u.enableQueue();
    u.write(IRTA, 8, INTERRUPTS | EIME | size);
    u.command(SIRTP);
    u.command(IRE);
  }

  /** An entry that leads to a vCPU, whose APIC id is twice its number. */
  static void entry(GuestUnit u, int index, int vcpu, int vector, long bits, long source) {
    u.store(
        INTERRUPTS + index * 16L,
        bits | ((long) vector << 16) | ((2L * vcpu) << 32),
        source == 0 ? 0 : CHECKED | source);
  }

  static JsonNode send(GuestUnit u, int handle) {
    return message(u, 0xfee0_0010L | (long) handle << 5, 0);
  }

  static JsonNode message(GuestUnit u, long address, int data) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/virtual-devices/00:03.0/msi".formatted(u.guest()),
                quoted("{'address':'0x%x','data':'0x%x'}".formatted(address, data)));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  static String waiting(GuestUnit u, int vcpu) {
    return u.daemon()
        .get("/v1/domains/%d/vcpus/%d/interrupts".formatted(u.guest(), vcpu))
        .body()
        .at("/apic/irr")
        .toString();
  }

  static void serve(GuestUnit u, int vcpu, String action) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/vcpus/%d/interrupts".formatted(u.guest(), vcpu),
                quoted("{'action':'%s'}".formatted(action)));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  /** Writes a redirection entry through the I/O APIC's registers. */
  static void pin(GuestUnit u, int pin, long entry) {
    ioApic(u, 0x00, 0x11 + 2 * pin);
    ioApic(u, 0x10, entry >>> 32);
    ioApic(u, 0x00, 0x10 + 2 * pin);
    ioApic(u, 0x10, entry & 0xffff_ffffL);
  }

  static void ioApic(GuestUnit u, int offset, long value) {
    Answer answer =
        u.daemon()
            .post(
                "/v1/domains/%d/vcpus/0/access".formatted(u.guest()),
                quoted(
                    "{'gpa':'0x%x','op':'write','size':4,'data':'0x%x'}"
                        .formatted(0xfec0_0000L + offset, value)));
    assertThat(answer.at("/outcome")).isEqualTo("emulated");
  }

  static void isa(GuestUnit u, int irq, int level) {
    assertThat(
            u.xen()
                .ret(
                    "dm_op",
                    "set_isa_irq_level",
                    "{'domid':%d,'isa_irq':%d,'level':%d}".formatted(u.guest(), irq, level)))
        .isZero();
  }
}
