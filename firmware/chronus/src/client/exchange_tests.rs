use super::*;

/// Answers like an engine until it has answered `/status` as often as asked, then goes.
fn engine(statuses: usize) -> (String, std::thread::JoinHandle<Vec<OscMessage>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        let mut left = statuses;
        while left > 0 {
            let (size, sender) = socket.recv_from(&mut buffer).unwrap();
            let message = read_packet(&buffer[..size]).unwrap().messages.remove(0).message;
            let reply = match message.addr.as_str() {
                "/status" => {
                    left -= 1;
                    let args = vec![OscType::from("block"), OscType::Long((statuses - left) as i64)];
                    Some(OscMessage { addr: "/status.reply".to_string(), args })
                }
                "/version" => Some(OscMessage::from("/version.reply")),
                "/mod/sine/gain" | "/record/stop" => None,
                _ => Some(OscMessage { addr: "/error".to_string(), args: vec![OscType::from(message.addr.as_str())] }),
            };
            received.push(message);
            if let Some(reply) = reply {
                socket.send_to(&encoder::encode(&OscPacket::Message(reply)).unwrap(), sender).unwrap();
            }
        }
        received
    });
    (address, thread)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

#[test]
fn a_good_command_is_answered_by_nothing_and_arrives() {
    let (server, thread) = engine(1);
    assert_eq!(send(&server, "/mod/sine/gain", &words(&["0.5", "on"])), Ok(vec![]));
    assert_eq!(thread.join().unwrap()[0].args, [OscType::Float(0.5), OscType::from("on")]);
}

#[test]
fn an_error_reply_is_returned_and_makes_the_command_fail() {
    let (server, thread) = engine(2);
    let replies = send(&server, "/nothing", &[]).unwrap();
    assert_eq!((replies.len(), replies[0].addr.as_str()), (1, "/error"));
    assert_eq!(run_send(&server, "/nothing", &[]), ExitCode::from(FAILED));
    thread.join().unwrap();
}

#[test]
fn questions_are_answered_by_their_own_reply() {
    let (server, thread) = engine(3);
    assert_eq!(send(&server, "/version", &[]).unwrap(), [OscMessage::from("/version.reply")]);
    let replies = send(&server, "/status", &[]).unwrap();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].args[1], OscType::Long(2));
    thread.join().unwrap();
}

#[test]
fn what_is_answered_later_is_waited_for() {
    for (address, answer) in [("/sync", "/synced"), ("/record/stop", "/record/stop.reply")] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = socket.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The status that is asked for behind it is answered before it.
            for _ in 0..2 {
                let (size, sender) = socket.recv_from(&mut buffer).unwrap();
                let asked = read_packet(&buffer[..size]).unwrap().messages.remove(0).message.addr;
                let replies = if asked == "/status" { &["/status.reply", answer][..] } else { &[] };
                for reply in replies {
                    let reply = OscPacket::Message(OscMessage::from(*reply));
                    socket.send_to(&encoder::encode(&reply).unwrap(), sender).unwrap();
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        assert_eq!(send(&server, address, &[]), Ok(vec![OscMessage::from(answer)]));
        thread.join().unwrap();
    }
}

#[test]
fn who_is_there_and_has_not_finished_is_not_taken_for_nobody() {
    let (server, thread) = engine(1);
    let message = OscMessage::from("/record/stop");
    let failure = exchange(server.parse().unwrap(), &message, Duration::from_millis(200)).unwrap_err();
    let Failure::Unfinished(text) = failure else { panic!("{failure:?}") };
    assert!(text.contains("has not finished /record/stop"), "{text}");
    thread.join().unwrap();
}

#[test]
fn only_what_is_no_text_and_does_not_say_so_is_guessed() {
    let guessed = |word: &str| is_guessed(word, &argument::parse(word).unwrap());
    assert_eq!(["5", "0.5", "true", "i:5", "s:5", "word"].map(guessed), [true, true, true, false, false, false]);
}

#[test]
fn silence_says_how_to_start_an_engine() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = &socket.local_addr().unwrap().to_string();
    let expected =
        |server: &str| Err(format!("no Chronus answers at {server}; is it running? start it with: chronus run"));
    assert_eq!(send(silent, "/test", &[]), expected(silent));
    drop(socket);
    assert_eq!(send(silent, "/test", &[]), expected(silent));
    assert_eq!(run_send(silent, "/test", &[]), ExitCode::from(FAILED));
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let nobody = "127.0.0.1:9";
    assert_eq!(run_send(nobody, "mod/sine/freq", &words(&["5"])), ExitCode::from(WRONG_USAGE));
    assert_eq!(run_send(nobody, "/mod/sine/freq", &words(&["i:x"])), ExitCode::from(WRONG_USAGE));
}

#[test]
fn a_name_is_looked_up_ipv4_first_and_an_unknown_one_is_a_failure() {
    let (server, thread) = engine(1);
    let by_name = server.replace("127.0.0.1", "localhost");
    assert_eq!(send(&by_name, "/mod/sine/gain", &words(&["0.5"])), Ok(vec![]));
    thread.join().unwrap();
    assert!(send("no-such-machine.invalid:5005", "/test", &[]).unwrap_err().contains("no-such-machine"));
    assert_eq!(run_send("no-such-machine.invalid:5005", "/test", &[]), ExitCode::from(FAILED));
}
