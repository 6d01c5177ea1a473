package io.hypercalld.api.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.client.CommandedDaemon.Ran;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What xl prints, byte by byte. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class XlTest {
  private static final String HEADING =
      "Name                                        ID   Mem VCPUs\tState\tTime(s)\n";

  private final CommandedDaemon daemon = new CommandedDaemon();

  @AfterAll
  void close() {
    daemon.close();
  }

  @BeforeEach
  void reset() {
    daemon.line("sim reset");
    daemon.line("domain create web --type hvm --memory 64MiB --vcpus 2");
  }

  @Test
  void list_hasXlsColumns() {
    assertThat(daemon.line("xl list"))
        .isEqualTo(
            new Ran(
                Exit.OK,
                HEADING
                    + "Domain-0                                     0  1024     4     r-----      "
                    + " 0.0\n"
                    + "web                                          1    64     2     --p---      "
                    + " 0.0\n",
                ""));
  }

  @Test
  void list_ofADomainThatRuns_hasItsLineAlone() {
    daemon.line("domain unpause web");

    assertThat(daemon.line("xl list web").out())
        .isEqualTo(
            HEADING
                + "web                                          1    64     2     r-----      "
                + " 0.0\n");
  }

  @Test
  void list_ofAShutDomain_hasTheReasonsLetter() {
    daemon.line("hypercall dm_op remote_shutdown domid=1 reason=1");

    assertThat(daemon.line("xl list 1").out()).endsWith("     --psr-       0.0\n");
  }

  @Test
  void list_verbose_addsTheUuid() {
    String uuid = daemon.line("domain show web").out().replaceAll("(?s).*uuid +(\\S+).*", "$1");

    Ran ran = daemon.line("xl list -v web");

    assertThat(ran.lines().getFirst())
        .isEqualTo(
            HEADING.strip() + "   UUID                            Reason-Code\tSecurity Label");
    assertThat(ran.lines().getLast()).endsWith("0.0 " + uuid + "        -                -");
  }

  @Test
  void info_hasXlsNames_andTheMachinesNumbers() {
    assertThat(daemon.line("xl info").lines())
        .startsWith(
            "host                   : two-socket",
            "nr_cpus                : 8",
            "max_cpu_id             : 7",
            "virt_caps              : pv hvm hvm_directio pv_directio hap iommu_hap_pt_share",
            "total_memory           : 65535")
        .last()
        .asString()
        .matches("free_memory            : 6[0-9]{4}");
  }

  @Test
  void pciList_ofADomainWithoutDevices_isEmpty() {
    assertThat(daemon.line("xl pci-list web")).isEqualTo(new Ran(Exit.OK, "", ""));
  }

  @Test
  void attach_withoutASlot_takesTheNextFreeOne() {
    assertThat(daemon.line("xl pci-attach web 03:10.1")).isEqualTo(new Ran(Exit.OK, "", ""));
    daemon.line("xl pci-attach web 0000:83:10.0");

    assertThat(daemon.line("xl pci-list web").out())
        .isEqualTo("Vdev Device\n04.0 0000:03:10.1\n05.0 0000:83:10.0\n");
  }

  @Test
  void attach_withASlotAndOptions_isSeenThere() {
    Ran ran = daemon.line("xl pci-attach web 0000:03:10.2@1f,permissive=1,rdm_policy=relaxed");

    assertThat(ran).isEqualTo(new Ran(Exit.OK, "", ""));
    assertThat(daemon.line("xl pci-list web").out()).isEqualTo("Vdev Device\n1f.0 0000:03:10.2\n");
  }

  @Test
  void attach_ofAllFunctions_keepsTheirNumbers() {
    daemon.line("xl pci-attach web 03:10.*@8");

    assertThat(daemon.line("xl pci-list web").out())
        .isEqualTo(
            """
            Vdev Device
            08.0 0000:03:10.0
            08.1 0000:03:10.1
            08.2 0000:03:10.2
            08.3 0000:03:10.3
            08.4 0000:03:10.4
            08.5 0000:03:10.5
            08.6 0000:03:10.6
            08.7 0000:03:10.7
            """);

    daemon.line("xl pci-detach web 03:10.*");

    assertThat(daemon.line("xl pci-list web").out()).isEmpty();
  }

  @Test
  void attach_whereOneFunctionIsAnothers_attachesNone() {
    daemon.line("domain create db --memory 4MiB");
    daemon.line("xl pci-attach db 03:10.5");

    Ran ran = daemon.line("xl pci-attach web 03:10.*");

    assertThat(ran)
        .isEqualTo(
            new Ran(
                Exit.FAILED, "", "libxl: error: Domain 1:PCI device 0:3:10.5 is not assignable\n"));
    assertThat(daemon.line("xl pci-list web").out()).isEmpty();
  }

  @Test
  void assignableList_hasWhatNobodyHas_andEndsLinesAsXlDoes() {
    daemon.line("xl pci-attach web 03:10.1");

    Ran before = daemon.line("xl pci-assignable-list");
    daemon.line("xl pci-detach web 03:10.1");
    Ran after = daemon.line("xl pci-assignable-list");

    assertThat(before.out()).contains("0000:03:10.0 \n").doesNotContain("0000:03:10.1 \n");
    assertThat(after.out()).contains("0000:03:10.1 \n").doesNotContain("0000:00:00.0 \n");
  }

  @Test
  void debugKeys_areLinesOfTheConsole() {
    assertThat(daemon.line("xl debug-keys Q").out())
        .startsWith(
            """
            (XEN) ==== PCI devices ====
            (XEN) ==== segment 0000 ====
            (XEN) 0000:00:00.0 - d0 - node -1\s
            """);
  }

  @Test
  void dmesg_afterABlockedDma_hasXensLines() {
    daemon.line("xl pci-attach web 03:10.1");
    daemon.line("device dma 03:10.1 write 0xfed00000 --data 00");

    assertThat(daemon.line("xl dmesg").out())
        .contains(
            "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:03:10.1] fault addr fed00000\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "list nobody|FAILED|nobody is an invalid domain identifier (rc=-6)",
        "list 77|FAILED|Error: Domain '77' does not exist.",
        "list --bogus|USAGE|list: unrecognized option '--bogus'",
        "pci-attach web 03:10|USAGE|pci-attach: malformed PCI_SPEC_STRING \"03:10\"",
        "pci-detach web 03:10.8|USAGE|pci-detach: malformed PCI_SPEC_STRING \"03:10.8\"",
        "pci-detach web 03:10.1|FAILED|libxl: error: Domain 1:PCI device not attached to this"
            + " domain",
        "pci-attach web 00:00.0|FAILED|libxl: error: Domain 1:PCI device 0:0:0.0 is not assignable",
        "pci-attach web ff:1f.7|FAILED|libxl: error: Domain 1:PCI device 0000:ff:1f is not"
            + " assignable",
        "debug-keys z|FAILED|libxl: error: ENOENT: nothing is bound to the key z",
        "reboot|USAGE|command not implemented"
      })
  void failure_isXlsOwn(String line, Exit exit, String complaint) {
    assertThat(daemon.line("xl " + line)).isEqualTo(new Ran(exit, "", complaint + "\n"));
  }

  @Test
  void attach_withoutADevice_saysHowItIsUsed() {
    assertThat(daemon.line("xl pci-attach web").err())
        .isEqualTo(
            """
            'xl pci-attach' requires at least 2 arguments.

            Usage: xl [-vfNtT] pci-attach <Domain> <PCI_SPEC_STRING>
            """);
  }

  @Test
  void attach_ofItsOwnDevice_isRefused() {
    daemon.line("xl pci-attach web 03:10.1");

    assertThat(daemon.line("xl pci-attach web 03:10.1").err())
        .isEqualTo("libxl: error: Domain 1:PCI device already attached to a domain\n");
  }
}
