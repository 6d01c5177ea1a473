package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A guest's access to where an emulator answers, from the instruction to its end: sent, answered by
 * an emulator that is a few lines of this program, and completed. Bare is the four stores and loads
 * of a slot that the protocol cannot do without.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IoDispatchBenchmark {
  private static final int PORT = 0x3f8;

  private ModelledGuest guest;
  private IoServer server;
  private MachineMemory memory;
  private GuestRequest load;
  private PortAccess input;
  private long slot;
  private long answer;

  @Setup(Level.Trial)
  public void build() {
    guest = new ModelledGuest();
    memory = guest.host().hypervisor().memory();
    server =
        guest.server(
            BufferedMode.OFF, RangeKind.MEMORY, ModelledGuest.MMIO, ModelledGuest.MMIO + 0xfff);
    guest.server(BufferedMode.OFF, RangeKind.PORT, PORT, PORT + 7);
    load = new GuestRequest(0, new Word(ModelledGuest.MMIO + 8), 4, Operation.READ, new Word(0));
    input = new PortAccess(0, PORT, 1, true, 0);
    slot = 0x2000;
  }

  @TearDown(Level.Trial)
  public void release() {
    guest.close();
  }

  @Benchmark
  public long bareSlot() {
    memory.writeWord(slot, ModelledGuest.MMIO + 8);
    memory.writeWord(slot + 8, 0);
    memory.writeWord(slot + 16, 4L << 32 | 1);
    memory.writeWord(slot + 24, 1);
    memory.writeWord(slot + 8, ++answer);
    memory.writeWord(slot + 24, 3);
    long data = memory.readWord(slot + 8);
    memory.writeWord(slot + 24, 0);
    return data;
  }

  @Benchmark
  public AccessOutcome memoryRead() {
    AccessOutcome waiting = guest.cpus().access(guest.domain(), load);
    guest.cpus().respond(guest.domain(), server.id(), waiting.request().orElseThrow(), new Word(7));
    return guest.cpus().access(guest.domain(), load);
  }

  @Benchmark
  public AccessOutcome portRead() {
    AccessOutcome waiting = guest.cpus().access(guest.domain(), input);
    guest.cpus().respond(guest.domain(), 1, waiting.request().orElseThrow(), new Word(7));
    return guest.cpus().access(guest.domain(), input);
  }
}
