import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A graphics card that shadows its guest's page table, in the JDK's classes alone.
 *
 * <pre>
 *   java Gpu.java URL DOMAIN FIRST_PAGE PAGES [SERVER]
 * </pre>
 *
 * <p>The guest's table is guest memory from FIRST_PAGE on: entries of 8 bytes, a guest frame in
 * bits 51:12 and bit 0 for valid. It becomes a page of type {@code ioreq_server}, which this
 * program claims, so that every write of the guest's comes here over a WebSocket. Each is checked,
 * stored where the guest wrote it, shadowed, and answered; then a line tells of it:
 *
 * <pre>
 *   ready SERVER
 *   ENTRY FRAME      entry ENTRY leads to frame FRAME of the machine
 *   ENTRY -          it leads nowhere
 * </pre>
 *
 * <p>What the table holds already is told first. With a SERVER it takes over from one of these
 * programs that died: what that left unanswered is asked again, and the shadow is rebuilt from the
 * guest's table.
 */
final class Gpu {
  private static final int PAGE = 4096;
  private static final int ENTRY = 8;
  private static final long VALID = 1;
  private static final long FRAME = 0xf_ffff_ffff_f000L;
  private static final int IOREQ_SERVER = 4;

  /** One request of a message. */
  private static final Pattern REQUEST =
      Pattern.compile(
          "\"id\":(?<id>\\d+),[^}]*?\"type\":\"(?<type>\\w+)\",[^}]*?"
              + "\"address\":\"0x(?<address>\\w+)\",\"size\":(?<size>\\d),\"count\":(?<count>\\d+),"
              + "\"df\":(?<df>\\w+),\"dataIsPtr\":(?<pointer>\\w+),\"data\":\"0x(?<data>\\w+)\"");

  private final HttpClient client = HttpClient.newHttpClient();
  private final TreeMap<Long, Long> shadow = new TreeMap<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final String url;
  private final String domain;
  private final long first;
  private final int pages;

  private Gpu(String url, String domain, long first, int pages) {
    this.url = url;
    this.domain = domain;
    this.first = first;
    this.pages = pages;
  }

  public static void main(String[] args) throws Exception {
    Gpu gpu = new Gpu(args[0], args[1], Long.decode(args[2]), Integer.decode(args[3]));
    gpu.run(args.length > 4 ? args[4] : gpu.claim());
  }

  /** A server that has the table's pages. */
  private String claim() throws Exception {
    String server = member(ask("POST", servers(), "{}"), "id");
    ask("PATCH", servers() + "/" + server, "{\"claimsPages\":true}");
    ask(
        "POST",
        "/v1/hypercalls/dm_op/set_mem_type",
        "{\"domid\":%s,\"mem_type\":%d,\"first_pfn\":%d,\"nr\":%d}"
            .formatted(domain, IOREQ_SERVER, first, pages));
    return server;
  }

  private void run(String server) throws Exception {
    byte[] table = load(first * PAGE, pages * PAGE);
    for (int at = 0; at < table.length; at += ENTRY) {
      long entry = word(table, at);
      if ((entry & VALID) != 0) {
        shadow.put((long) at / ENTRY, translate(entry));
      }
    }
    System.out.println("ready " + server);
    shadow.forEach((entry, frame) -> System.out.println(entry + " 0x" + Long.toHexString(frame)));
    client
        .newWebSocketBuilder()
        .buildAsync(
            URI.create(url.replaceFirst("^http", "ws") + servers() + "/" + server + "/stream"),
            new Requests())
        .join();
    ended.await();
  }

  /** What comes over the WebSocket, which may be in pieces. */
  private final class Requests implements WebSocket.Listener {
    private final StringBuilder message = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence piece, boolean last) {
      message.append(piece);
      CompletionStage<?> answered = null;
      if (last) {
        answered = answer(socket, message.toString());
        message.setLength(0);
      }
      socket.request(1);
      return answered;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      ended.countDown();
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable cause) {
      System.err.println(cause.getMessage());
      ended.countDown();
    }
  }

  /** All requests of a message are answered by one message, in their order. */
  private CompletionStage<?> answer(WebSocket socket, String message) {
    List<String> responses = new ArrayList<>();
    Matcher request = REQUEST.matcher(message);
    while (request.find()) {
      if (request.group("type").equals("copy")) {
        write(request);
      }
      responses.add("{\"rid\":" + request.group("id") + "}");
    }
    return socket.sendText("{\"responses\":[" + String.join(",", responses) + "]}", true);
  }

  /** A write, or as many as a repeated instruction makes. */
  private void write(Matcher request) {
    long address = Long.parseLong(request.group("address"), 16);
    long data = Long.parseUnsignedLong(request.group("data"), 16);
    int size = Integer.parseInt(request.group("size"));
    long step = request.group("df").equals("true") ? -size : size;
    boolean pointer = request.group("pointer").equals("true");
    try {
      for (long i = 0; i < Long.parseLong(request.group("count")); i++) {
        byte[] bytes = pointer ? load(data + i * step, size) : bytes(data, size);
        store(address + i * step, bytes);
        reconsider(address + i * step, size);
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Shadows the entries that some bytes are in. */
  private void reconsider(long gpa, int size) throws Exception {
    long base = first * PAGE;
    for (long i = (gpa - base) / ENTRY; i <= (gpa + size - 1 - base) / ENTRY; i++) {
      long entry = word(load(base + i * ENTRY, ENTRY), 0);
      if ((entry & VALID) == 0) {
        shadow.remove(i);
        System.out.println(i + " -");
      } else {
        shadow.put(i, translate(entry));
        System.out.println(i + " 0x" + Long.toHexString(shadow.get(i)));
      }
    }
  }

  /** The machine's frame behind the guest's that an entry names. */
  private long translate(long entry) throws Exception {
    String gfn = "0x" + Long.toHexString((entry & FRAME) / PAGE);
    String mfn = member(ask("GET", "/v1/domains/" + domain + "/p2m/" + gfn, ""), "mfn");
    return Long.parseLong(mfn.substring(2), 16);
  }

  private static byte[] bytes(long word, int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (word >>> (i * Byte.SIZE));
    }
    return bytes;
  }

  private static long word(byte[] bytes, int at) {
    long word = 0;
    for (int i = ENTRY - 1; i >= 0; i--) {
      word = word << Byte.SIZE | bytes[at + i] & 0xff;
    }
    return word;
  }

  private byte[] load(long gpa, int length) throws Exception {
    return HexFormat.of()
        .parseHex(member(ask("GET", memory(gpa) + "&length=" + length, ""), "data"));
  }

  /** By the frame's machine address: a page whose writes are claimed is no memory to others. */
  private void store(long gpa, byte[] bytes) throws Exception {
    String gfn = "0x" + Long.toHexString(gpa / PAGE);
    String mfn = member(ask("GET", "/v1/domains/" + domain + "/p2m/" + gfn, ""), "mfn");
    long maddr = Long.parseLong(mfn.substring(2), 16) * PAGE + gpa % PAGE;
    ask(
        "PUT",
        "/v1/memory?maddr=0x" + Long.toHexString(maddr),
        "{\"data\":\"" + HexFormat.of().formatHex(bytes) + "\"}");
  }

  private String memory(long gpa) {
    return "/v1/domains/" + domain + "/memory?gpa=0x" + Long.toHexString(gpa);
  }

  private String servers() {
    return "/v1/domains/" + domain + "/ioreq-servers";
  }

  private String ask(String method, String path, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + path))
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    var answer = client.send(request, BodyHandlers.ofString());
    if (answer.statusCode() >= 300) {
      throw new IllegalStateException(path + ": " + answer.body());
    }
    return answer.body();
  }

  /** The first member of a name that an answer has, as text. */
  private static String member(String json, String name) {
    Matcher member = Pattern.compile("\"" + name + "\":\"?([^,\"}]*)").matcher(json);
    if (!member.find()) {
      throw new IllegalStateException("no " + name + " in " + json);
    }
    return member.group(1);
  }
}
