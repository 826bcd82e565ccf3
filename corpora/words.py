"""Korean words to romanise: nouns with particles, verbs with endings, and names composed of syllables."""

import random

from romanise import letters, romanise


def listed(text: str) -> list[str]:
    return text.split()


NOUNS = listed("""
강 값 감 개 거북 겨울 고양이 골목 곳 공책 구름 국 국물 국민 굴뚝 귀 그릇 글 기둥 길 김치 깃 꽃 꿈 끝 나라 나무
낙엽 낚시 날 남쪽 낮 낯 노래 논 눈 눈물 늦가을 다리 단추 닭 달 담 답 대문 독립 독수리 돌 돗자리 동무 동전 뒷마당
들 등불 딸기 땅 떡 마루 마을 말 맛 머리 목걸이 목련 무릎 문 물 물감 물결 미역 밑 바다 바위 바닥 박물관 밖 반달
밤 밥 방 밭 배꼽 백마 벌 법률 별 병아리 벽 볕 봄 부엌 북쪽 북한산 불 비 빗 빛 뿌리 사람 삯 산 살구 삶 새벽 샘
생각 서쪽 석류 선물 설날 섬 소금 소나무 손 솥 수박 숟가락 숲 시작 신라 실 아침 앞 약 양념 어른 언덕 얼굴 여덟
여름 역 연못 열쇠 염려 옆 옷 옷감 왕 외투 우물 운동장 울릉도 웃음 원숭이 윗목 음료 음악 의자 이름 이웃 이불 입
입맛 입학 자리 작년 잎 저녁 절 젓가락 젖 종로 종이 줄 지붕 집 집현전 짚 쪽 참외 책 책상 천리 첫눈 칼날 콩 키읔
탑 통나무 팥 편지 풀 풍년 필통 하늘 학교 학년 한글 할머니 항아리 해돋이 햇볕 행복 협력 호랑이 혼란 황소 흙 희망
""")
# form after a consonant / form after a vowel
PARTICLES = [
    pair.split("/")
    for pair in listed("""
이/가 을/를 은/는 과/와 이나/나 이라도/라도 이며/며 으로/로 도/도 만/만 의/의 에/에 에서/에서 에게/에게
부터/부터 까지/까지 처럼/처럼 보다/보다 마다/마다 조차/조차 밖에/밖에 들/들 들이/들이 들을/들을 마저/마저
만은/만은 에는/에는 하고/하고
""")
]
STEMS = listed("""
먹 읽 잡 좋 놓 넣 낳 쌓 앉 얹 많 않 끊 싫 잃 끓 뚫 닳 닫 믿 받 얻 쏟 같 붙 맡 밟 넓 얇 짧 젊 닮 굶 옮 핥 훑 읊
없 있 깎 볶 묶 섞 꺾 닦 웃 씻 벗 솟 빗 찾 맞 잊 꽂 늦 찢 맺 쫓 높 깊 갚 덮 엎 입 뽑 씹 좁 접 업 신 안 감 남 숨
넘 심 참 검 작 적 막 속 녹 죽 썩 맑 밝 늙 긁 굵 붉 갉 낮 젖 짖 꾸짖
""")
ENDINGS = listed("""
고 지 는 네 다 던 게 소 자 거든 더라 도록 지만 는데 기 나 느라 니 자마자 습니다 으면 은 을 으니 으며 음 으려고 A
A서 A도 A요 A라 E다 E고 E지 E네 E던 E으면 E습니다
""")
# stems that end in ㅣ; before an ending that starts with ㅓ, both contract to ㅕ
PASSIVES = listed("""
잡히 먹히 닫히 굳히 꽂히 잊히 앉히 밝히 읽히 넓히 젖히 막히 뽑히 밟히 업히 박히 맺히 얹히 접히 붙이 높이 먹이
속이 녹이 죽이 줄이 놓이 쌓이 덮이 섞이 볶이 벗기 웃기 씻기
""")
MORE_ENDINGS = listed("""
고 지 는 네 다 던 게 자 면 니 며 려고 도록 거든 는데 지만 더라 어서 어도 어요 어라
""")
SYLLABLES = listed("""
가 각 간 갑 강 개 거 건 검 경 계 고 곡 공 관 광 교 구 국 군 궁 귀 금 기 길 김 나 낙 남 내 노 녹 논 농 능 다 단
달 담 당 대 덕 도 독 동 두 둔 등 라 락 란 량 려 력 련 렬 령 로 록 론 뢰 료 룡 류 륙 률 륭 름 리 린 림 립 마 막
만 망 매 면 명 모 목 묘 무 묵 문 물 미 민 밀 박 반 발 방 배 백 번 법 벽 변 별 병 보 복 본 봉 부 북 분 불 비 사
산 삼 상 새 서 석 선 설 섬 성 세 소 속 솔 송 수 숙 순 숭 습 승 시 식 신 실 심 쌍 아 악 안 암 압 앙 애 야 약 양
어 언 여 역 연 염 영 예 오 옥 온 옹 완 왕 외 요 용 우 욱 운 울 원 월 위 유 육 율 은 을 음 읍 응 의 이 익 인 일
임 입 자 작 잔 잠 장 재 저 적 전 절 정 제 조 족 종 좌 주 죽 준 중 즉 증 지 직 진 질 집 차 착 찬 창 채 책 천 철
첨 청 초 촌 총 추 축 춘 충 치 칠 침 탄 탑 태 택 토 통 파 판 팔 평 포 표 풍 필 하 학 한 함 합 해 행 향 허 현 협
형 호 홍 화 황 회 효 후 훈 휘 흥 희
""")


def past(stem: str) -> tuple[str, str]:
    """The infinitive ending (아 or 어) and the past ending (았 or 었), by vowel harmony with the stem."""
    return ("아", "았") if letters(stem[-1])[1] in "ㅏㅑㅗ" else ("어", "었")


def nouns() -> list[str]:
    """Every noun, alone and with every particle. After ㄹ, 로 is used as after a vowel."""
    words = []
    for noun in NOUNS:
        tail = letters(noun[-1])[2]
        words.append(noun)
        words += [
            noun + (after if not tail or (tail == "ㄹ" and after == "로") else before) for before, after in PARTICLES
        ]
    return words


def verbs() -> list[str]:
    """Every stem with every ending, and derived passive and causative verbs."""
    words = []
    for stem in STEMS:
        now, then = past(stem)
        words += [stem + ending.replace("A", now).replace("E", then) for ending in ENDINGS]
    for stem in PASSIVES:
        for ending in MORE_ENDINGS:
            together = ending[0] == "어"
            head = chr(ord(stem[-1]) - 20 * 28 + 6 * 28) if together else stem[-1]
            words.append(stem[:-1] + head + (ending[1:] if together else ending))
    return words


def romanisations(count: int = 20_000, seed: int = 0) -> list[tuple[str, str]]:
    """Distinct words with their romanisation: all nouns and verbs above, then names of two to four syllables."""
    rng = random.Random(seed)
    found = {word: romanise(word) for word in nouns()}
    found |= {word: romanise(word, verb=True) for word in verbs() if word not in found}
    while len(found) < count:
        word = "".join(rng.choices(SYLLABLES, k=rng.choice((2, 2, 3, 3, 4))))
        found.setdefault(word, romanise(word))
    pairs = list(found.items())
    rng.shuffle(pairs)
    return pairs[:count]
