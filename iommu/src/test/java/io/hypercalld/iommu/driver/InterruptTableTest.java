package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.refusalOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.Malfunction;
import io.hypercalld.iommu.unit.Malfunction.Command;
import io.hypercalld.iommu.unit.Malfunction.Effect;
import io.hypercalld.iommu.unit.Malfunction.Target;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Entries of an interrupt-remapping table: who finds which, and when there are none left. */
final class InterruptTableTest {
  private static final InterruptEntry ENTRY =
      InterruptEntry.remapped(InterruptMessage.fixed(0x41, 3), true).from(new SourceId(0x382), 0);

  private final SimulatedMachine machine = SimulatedMachine.boot();
  private final InterruptTable table = machine.driver.units().get(0).interruptTable().orElseThrow();

  @AfterEach
  void stop() {
    machine.close();
  }

  private void use(int first, int end) {
    for (int index = first; index < end; index++) {
      table.write(index, ENTRY);
    }
  }

  @Test
  void boot_unitsThatCan_remapThroughEmptyTables() {
    assertThat(machine.driver.interruptRemapping()).isEqualTo(new InterruptRemapping(true, true));
    assertThat(table.used()).isZero();
    assertThat(table.isExtended()).isTrue();
  }

  @Test
  void find_withHoles_isTheFirstThatFits() {
    use(0, 8);
    table.free(2);
    table.free(5);
    table.free(6);

    assertThat(table.find(1)).isEqualTo(2);
    assertThat(table.find(2)).isEqualTo(5);
    assertThat(table.find(3)).isEqualTo(8);
  }

  @Test
  void b130_fullTable_refusesAndFragmentsFailABlock() {
    use(0, InterruptTable.ENTRIES);
    assertThat(refusalOf(() -> table.find(1))).isEqualTo(Errno.EFAULT);

    for (int index = 0; index < 128; index += 2) {
      table.free(index);
    }

    assertThat(table.used()).isEqualTo(InterruptTable.ENTRIES - 64);
    assertThat(table.find(1)).isZero();
    assertThat(refusalOf(() -> table.find(32))).as("64 are free").isEqualTo(Errno.EFAULT);
  }

  @Test
  void free_whereTheUnitDoesNotForget_leavesAnAbsentEntryThatNobodyIsGiven() {
    use(0, 2);
    machine
        .units
        .getFirst()
        .malfunctions()
        .add(
            new Malfunction(
                new Target(Optional.of(Command.IEC), Optional.empty()),
                0,
                Long.MAX_VALUE,
                Effect.INVALIDATION_TIMEOUT));

    table.free(0);

    assertThat(table.entry(0).isPresent()).isFalse();
    assertThat(table.inUse()).containsExactly(1);
    assertThat(table.used()).isEqualTo(1);
    assertThat(table.find(1)).isEqualTo(2);
  }

  @Test
  void write_ofAnEntryInUse_replacesIt() {
    table.write(3, ENTRY);
    InterruptEntry other =
        InterruptEntry.remapped(InterruptMessage.fixed(0x52, 4), true).from(new SourceId(0x382), 0);

    table.write(3, other);

    assertThat(table.entry(3)).isEqualTo(other);
    assertThat(table.used()).isEqualTo(1);
    assertThat(table.inUse()).containsExactly(3);
  }
}
