//! Which commands serve what their files are now: one that is taken for such in vain serves an old commit unseen.

use housecall::checks::server::watching;

/// Commands that serve what their files are now.
const WATCHING: &[&str] = &[
    "astro dev",
    "node node_modules/.bin/astro dev --port 4321",
    "pnpm exec vite dev",
    "npx --yes next dev",
    "node node_modules/.bin/eleventy --serve --port=8080",
    "hugo server --bind 127.0.0.1",
    "bundle exec jekyll serve",
    "webpack serve",
    "parcel index.html",
    "python3 -m http.server 8000",
    "npm run dev",
    "pnpm dev",
    "yarn serve",
    "python manage.py runserver",
    "deno run -A npm:vite",
    "bun run vite",
    "cross-env A=b deno run -A npm:vite",
    "bunx --bun vite",
    "serve -s build",
    "npx serve@14 -s build",
    "npx @angular/cli serve",
    "npm exec -- http-server dist",
    "pnpm dlx live-server",
    "yarn docusaurus start",
    "dotenv -e .env.local -- next dev",
    "flask --debug run",
    "python -m flask --debug run",
    "bin/rails server",
    "php -S 127.0.0.1:8000",
    "php artisan serve",
    "browser-sync start --server public",
    "sirv public --dev",
    "caddy file-server --listen :80",
    "cargo watch -x run",
    "watchexec -r node server.js",
    ".venv/bin/mkdocs serve",
    "node_modules/.bin/vue-cli-service serve",
    "gatsby develop",
    "react-scripts start",
    "ember serve",
];
/// Commands that do not, or of which nobody knows.
const NOT_WATCHING: &[&str] = &[
    // What starts itself anew for its own code alone.
    "node --watch server.js",
    "uvicorn app:app --reload",
    "tsx watch server.ts",
    "tsx --env-file .env watch server.ts",
    "deno run -A --watch main.ts",
    "deno serve --port 80 --watch main.ts",
    "node --watch-path=./src server.js",
    "node --watch-path ./src server.js",
    "node --import tsx --watch server.ts",
    "bun run --hot index.ts",
    "bun --watch index.ts",
    "cross-env NODE_ENV=development tsx watch server.ts",
    "A=b nodemon --exec npm start",
    "node-dev start.js",
    "ts-node-dev --respawn server.ts",
    "flask --app site run --reload",
    "uv run uvicorn app:app --reload",
    // The rest.
    "node server.js",
    "node server.js --watch",
    "npm start",
    "npm run start",
    "npm run both",
    "npm run round",
    "npm run absent",
    "astro preview",
    "vite preview",
    "vite --port 1 preview",
    "next start",
    "python app.py",
    "python manage.py runserver --noreload",
    "uvicorn app:app",
    "hugo server --watch=false",
    "webpack",
    "parcel build index.html",
    // Files of the project, whatever they are called.
    "node serve.js",
    "node serve",
    "./serve",
    "python serve.py",
    "bash nodemon.sh",
    "deno task serve",
    "deno run -A main.ts --watch",
    "bun run index.ts --hot",
    "tsx server.ts watch",
    "npm run vite",
    // What serves a build, or what was there when it started.
    "nuxt start",
    "gatsby serve",
    "docusaurus serve",
    "sirv public",
    "browser-sync start --proxy localhost:3000",
    // What waits until the server ends.
    "watchexec node server.js",
    "rails server -e production",
    "RAILS_ENV=production rails s",
    "ng serve --watch false",
    "mkdocs serve --no-livereload",
    "flask run",
    "python app.py --debug flask",
];

#[test]
fn commands_that_watch_are_known_and_scripts_are_followed() {
    let scripts = |name: &str| {
        let found = match name {
            "dev" => "cross-env PORT=1 npm run serve",
            "serve" => "tsc && vite --port 5173",
            "start" => "node server.js",
            "both" => "vite & node api.js",
            "round" => "npm run round",
            _ => return None,
        };
        Some(found.to_owned())
    };
    let told = |line: &str| {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let command = watching::command(&argv, &scripts);
        (command.line, command.watches)
    };
    for known in WATCHING {
        assert!(told(known).1, "{known}: {:?}", told(known));
    }
    for unknown in NOT_WATCHING {
        assert!(!told(unknown).1, "{unknown}: {:?}", told(unknown));
    }
    assert_eq!(told("npm start").0, "node server.js");
}
