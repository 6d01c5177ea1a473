package io.hypercalld.api.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Sends whatever bytes it is given, and reads what comes back. Confined to one thread. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int AHEAD = 32;

  private final URI url;
  private Connection connection;

  /** What came back; status 0 where that was nothing. */
  record Answer(int status, String body, boolean closed) {
    static final Answer NONE = new Answer(0, "", true);

    boolean isAccepted() {
      return status / 100 == 2;
    }
  }

  RawClient(URI url) throws IOException {
    this.url = url;
    this.connection = new Connection(url);
  }

  /** Sends a request and reads its answer; connects anew where the other side has closed. */
  Answer exchange(String request) throws IOException {
    return exchange(List.of(Probe.of(request))).getFirst().getFirst();
  }

  /**
   * Sends requests without waiting for each answer where they may follow each other.
   *
   * @return the answers to each
   */
  List<List<Answer>> exchange(List<Probe> probes) throws IOException {
    List<List<Answer>> answers = new ArrayList<>(probes.size());
    while (answers.size() < probes.size()) {
      Probe first = probes.get(answers.size());
      if (first.alone()) {
        answers.add(alone(first.request()));
      } else {
        exchangeRun(run(probes.subList(answers.size(), probes.size())), answers);
      }
    }
    return answers;
  }

  /** Requests from the first on of which only the last may end the connection. */
  private static List<Probe> run(List<Probe> probes) {
    int length = 1;
    while (length < Math.min(AHEAD, probes.size())
        && probes.get(length - 1).isTame()
        && !probes.get(length).alone()) {
      length++;
    }
    return probes.subList(0, length);
  }

  private void exchangeRun(List<Probe> run, List<List<Answer>> answers) throws IOException {
    connection.send(String.join("", run.stream().map(Probe::request).toList()));
    for (Probe probe : run) {
      boolean fresh = connection.answered == 0;
      Answer answer = connection.answer(probe.request());
      // A connection may end between two requests; the next one is then asked again.
      if (answer.status != 0 || fresh) {
        answers.add(List.of(answer));
      }
      if (answer.closed) {
        // Whatever was sent behind it has not been looked at.
        connection.close();
        connection = new Connection(url);
        return;
      }
    }
  }

  /** Sends what may be no request, or more than one, and reads until the other side closes. */
  private List<Answer> alone(String bytes) throws IOException {
    List<Answer> answers = new ArrayList<>();
    try (Connection own = new Connection(url)) {
      own.send(bytes);
      own.finish();
      Answer answer = own.answer(bytes);
      while (answer.status != 0) {
        answers.add(answer);
        answer = answer.closed ? Answer.NONE : own.answer("");
      }
    }
    return answers;
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }

  private static final class Connection implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private int answered;

    Connection(URI url) throws IOException {
      socket = new Socket(url.getHost(), url.getPort());
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
    }

    void send(String bytes) throws IOException {
      try {
        socket.getOutputStream().write(bytes.getBytes(ISO_8859_1));
      } catch (SocketException e) {
        // Closed by now: what it said before can still be read.
      }
    }

    void finish() throws IOException {
      try {
        socket.shutdownOutput();
      } catch (SocketException e) {
        // As above.
      }
    }

    Answer answer(String request) throws IOException {
      try {
        return read(request.startsWith("HEAD "));
      } catch (SocketTimeoutException e) {
        throw new AssertionError("no answer to " + request, e);
      } catch (SocketException | EOFException e) {
        return Answer.NONE;
      }
    }

    private Answer read(boolean headOnly) throws IOException {
      String status = line();
      long length = 0;
      boolean closes = false;
      for (String header = line(); !header.isEmpty(); header = line()) {
        String value = header.substring(header.indexOf(':') + 1).strip();
        switch (header.substring(0, header.indexOf(':')).toLowerCase(Locale.ROOT)) {
          case "content-length" -> length = headOnly ? 0 : Long.parseLong(value);
          case "connection" -> closes |= value.equalsIgnoreCase("close");
          // What comes in chunks goes on and on.
          case "transfer-encoding" -> closes = true;
          default -> {}
        }
      }
      if (status.contains(" 100 ")) {
        return read(headOnly);
      }
      answered++;
      String body = new String(in.readNBytes((int) length), ISO_8859_1);
      return new Answer(Integer.parseInt(status.split(" ", 3)[1]), body, closes);
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int octet = in.read(); octet != '\n'; octet = in.read()) {
        if (octet < 0) {
          throw new EOFException();
        }
        if (octet != '\r') {
          line.append((char) octet);
        }
      }
      return line.toString();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
