// A filter with the Rust SDK: configuration, clock, a callout that holds the request, shared data, both bodies.
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { greeting: String::new() }) });
}}

struct Root {
    greeting: String,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        self.greeting = String::from_utf8(bytes).unwrap_or_default();
        log::info!("configured: {}", self.greeting);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { greeting: self.greeting.clone() }))
    }
}

struct Filter {
    greeting: String,
}

impl Context for Filter {
    fn on_http_call_response(&mut self, _: u32, _: usize, size: usize, _: usize) {
        let body = self.get_http_call_response_body(0, size).unwrap_or_default();
        self.set_http_request_header("x-answer", Some(&String::from_utf8_lossy(&body)));
        self.resume_http_request();
    }
}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if self.get_http_request_header("x-refuse").is_some() {
            self.send_http_response(403, vec![("x-greeting", &self.greeting)], Some(b"refused"));
            return Action::Pause;
        }
        let headers = vec![(":method", "GET"), (":path", "/callout"), (":authority", "callout")];
        self.dispatch_http_call("upstream", headers, None, vec![], Duration::from_secs(5)).unwrap();
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let (seen, cas) = self.get_shared_data("requests");
        let count = seen.map_or(0, |bytes| bytes[0]) + 1;
        self.set_shared_data("requests", Some(&[count]), cas).unwrap();
        self.set_http_response_header("x-greeting", Some(&self.greeting));
        self.set_http_response_header("x-count", Some(&count.to_string()));
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if !end {
            return Action::Pause;
        }
        if let Some(body) = self.get_http_response_body(0, size) {
            self.set_http_response_body(0, size, &[b"rust:", body.as_slice()].concat());
        }
        Action::Continue
    }
}
